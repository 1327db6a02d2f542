"""`/api/v1/outbox`: what lists and records of it do not offer: messages whole, and how channels behave."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Body, Path, Request, Response
from pydantic import BaseModel, Field, RootModel

from coldshelf.access.principal import ADMINS, UNLIMITED, Principal
from coldshelf.access.web import SignedIn
from coldshelf.deliveries.developing.outbox import Message, load_message, read_switches, set_switches
from coldshelf.deliveries.developing.sandbox import Behaviour
from coldshelf.deliveries.models import OUTBOX, SUBSCRIPTIONS
from coldshelf.deliveries.routes.writing import write_as_admin
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of

JSON = "application/json"
router = APIRouter(prefix="/api/v1/outbox", tags=[OUTBOX])
MessageId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="OutboxId")]
WORDS = "; ".join(f"`{one}`: {one.meaning}" for one in Behaviour)


class HeaderShown(BaseModel):
    Name: str
    Value: str


class PartShown(BaseModel):
    """One part of a mail."""

    ContentType: str
    Name: str = Field(description="File name, where it has one")
    ContentId: str = Field(description="By what the HTML refers to it, as cid:…")
    Text: str | None
    Base64: str | None = Field(description="What is no text")


class MessageShown(BaseModel):
    """A message as it would have left."""

    Headers: list[HeaderShown]
    Body: str
    IsBase64: bool = Field(description="The body is no text: it is given in base64")
    Parts: list[PartShown] = Field(description="Of a mail")


class Switchboard(RootModel[dict[str, Behaviour]]):
    """Behaviour by channel."""


class SwitchesShown(BaseModel):
    Sandbox: bool = Field(description="Whether messages are kept (COLDSHELF_SANDBOX); else they leave")
    Switches: dict[str, Behaviour] = Field(description="How each channel behaves")


@router.get(
    "/switches",
    response_model=SwitchesShown,
    operation_id="get_outbox_switches",
    summary="See how the channels of the sandbox behave",
    responses=problems(401, 403, 429),
)
async def switches(request: Request, principal: SignedIn) -> Response:
    _admit(principal)
    run = run_of(request)
    async with run.database.scope(principal.client, readonly=True) as connection:
        held = await read_switches(connection)
    return Response(orjson.dumps({"Sandbox": run.settings.sandbox, "Switches": held}), media_type=JSON)


@router.put(
    "/switches",
    response_model=SwitchesShown,
    operation_id="put_outbox_switches",
    summary="Say how the channels of the sandbox behave",
    description=f"Channels that are left out behave well. {WORDS}.",
    responses=problems(400, 401, 403, 409, 422, 429),
)
async def put_switches(
    request: Request,
    principal: SignedIn,
    wanted: Annotated[dict[str, Behaviour], Body(examples=[{"callback": "500"}], description="Behaviour by channel")],
) -> Response:
    _admit(principal)

    async def write(connection: Connection) -> BaseModel:
        return SwitchesShown(Sandbox=True, Switches=await set_switches(run_of(request), connection, wanted))

    return await write_as_admin(request, principal, SUBSCRIPTIONS, Switchboard(wanted), write)


@router.get(
    "/{message_id}/message",
    response_model=MessageShown,
    operation_id="get_outbox_message",
    summary="Read a message whole: headers, body, parts of a mail",
    responses=problems(401, 403, 404, 429),
)
async def message(request: Request, principal: SignedIn, message_id: MessageId) -> Response:
    _admit(principal)
    async with run_of(request).database.scope(principal.client, readonly=True) as connection:
        found = await load_message(connection, message_id)
    return Response(_shown(found).model_dump_json(), media_type=JSON)


def _admit(principal: Principal) -> None:
    """Raise NotAllowed for one who is limited: a message is shown whole."""
    principal.require_read(OUTBOX, ADMINS)
    principal.require_every_outlet()
    if principal.limit != UNLIMITED:
        raise NotAllowed("Messages are shown whole, and this credential is limited.")


def _shown(found: Message) -> MessageShown:
    return MessageShown(
        Headers=[HeaderShown(Name=name, Value=value) for name, value in found.headers],
        Body=found.body,
        IsBase64=found.is_base64,
        Parts=[
            PartShown(
                ContentType=part.content_type,
                Name=part.name,
                ContentId=part.content_id,
                Text=part.text,
                Base64=part.base64,
            )
            for part in found.parts
        ],
    )
