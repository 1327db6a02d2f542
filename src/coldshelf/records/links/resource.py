"""`/api/v1/links`: what the lists of links do not offer, making one and taking one back."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from coldshelf.access.links import Purpose, Purposes, purpose_named
from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.service import revoke
from coldshelf.access.web import SignedIn
from coldshelf.kit.clock import wire_time
from coldshelf.kit.db import Connection
from coldshelf.kit.idempotency import HEADER, hash_request
from coldshelf.kit.ids import UserId
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of
from coldshelf.records.handlers import write_once
from coldshelf.records.links.datasets import LINKS
from coldshelf.records.links.service import Draft, check_rights, make_link
from coldshelf.records.registry import Registry

LinkId = Annotated[int, Path(ge=1, le=LARGEST_INTEGER, description="LinkId")]
Id = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]


class LinkWish(BaseModel):
    """What a link shall be for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"Purpose": "picture.view", "RecordKey": 4711}]}
    )

    Purpose: str = Field(max_length=100, description="What it is for; the description of the operation names all")
    RecordKey: Id = Field(description="Id of the record that it opens")
    Recipient: str = Field(default="", max_length=256, description="For whom, for your own lists")
    UserId: Id | None = Field(default=None, description="User for whom; the link ends when that user is shut out")
    ExpiresOn: AwareDatetime | None = Field(default=None, description="Within a year; the purpose knows a usual time")


class NewLink(BaseModel):
    """A link whose URL is told this once."""

    LinkId: int
    Url: str = Field(description="Whoever has it may open it until it expires or is taken back")
    ExpiresOn: str = Field(description="UTC")


class RevokedLink(BaseModel):
    LinkId: int
    RevokedOn: str = Field(description="UTC; since then it opens no more")


def link_resource_router(registry: Registry, purposes: Purposes) -> APIRouter:
    """Make the routes that mint and revoke links."""
    router = APIRouter(prefix="/api/v1/links", tags=[LINKS])

    async def make(request: Request, principal: SignedIn, wish: LinkWish) -> Response:
        purpose = purpose_named(purposes, wish.Purpose)
        check_rights(principal, registry, purpose)

        async def write(connection: Connection) -> BaseModel:
            made = await make_link(run_of(request), connection, principal, registry, _draft(purpose, wish))
            return NewLink(LinkId=made.id, Url=made.url, ExpiresOn=wire_time(made.expires_on))

        return await _once(request, principal, wish.model_dump_json().encode(), write, status=201)

    async def take_back(request: Request, principal: SignedIn, link_id: LinkId) -> Response:
        async def write(connection: Connection) -> BaseModel:
            return RevokedLink(LinkId=link_id, RevokedOn=wire_time(await revoke(run_of(request), connection, link_id)))

        return await _once(request, principal, b"", write)

    router.add_api_route(
        "",
        make,
        methods=["POST"],
        status_code=201,
        response_model=NewLink,
        operation_id="link_mint",
        summary="Make a link to a record, for somebody without an account",
        description=_described(purposes),
        responses=problems(400, 401, 403, 404, 409, 422, 429),
    )
    router.add_api_route(
        "/{link_id}/revoke",
        take_back,
        methods=["POST"],
        response_model=RevokedLink,
        operation_id="link_revoke",
        summary="Take a link back",
        description="It opens no more. A second time changes nothing.",
        responses=problems(400, 401, 403, 404, 409, 422, 429),
    )
    return router


def _described(purposes: Purposes) -> str:
    lines = [
        f"- `{one.name}` (a record of {one.dataset}; {one.lifetime.days} days): {one.meaning}."
        for one in purposes.values()
    ]
    return "\n".join(["The answer has its URL, which is not kept. Purposes:", "", *lines])


def _draft(purpose: Purpose, wish: LinkWish) -> Draft:
    user_id = None if wish.UserId is None else UserId(wish.UserId)
    return Draft(purpose, wish.RecordKey, wish.Recipient.strip(), user_id, wish.ExpiresOn)


async def _once(
    request: Request,
    principal: Principal,
    body: bytes,
    write: Callable[[Connection], Awaitable[BaseModel]],
    *,
    status: int = 200,
) -> Response:
    principal.require_write(LINKS, ADMINS)
    principal.require_every_outlet()

    async def answered(connection: Connection) -> Response:
        said = await write(connection)
        return Response(said.model_dump_json(), status_code=status, media_type="application/json")

    content = hash_request(request.url.path.encode(), body)
    return await write_once(run_of(request), principal, request.headers.get(HEADER, ""), content, answered)
