"""`/api/v1/events`: which events there are, and what each says."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from coldshelf.access.principal import PEOPLE
from coldshelf.access.web import SignedIn
from coldshelf.deliveries.catalogue import kind_of
from coldshelf.deliveries.developing.described import DescribedEvent, describe_events
from coldshelf.deliveries.developing.triggering import find_trigger, publish_trigger
from coldshelf.deliveries.models import SUBSCRIPTIONS, TRIGGERED
from coldshelf.deliveries.routes.writing import require_admin, write_as_admin
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.events import EventType
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.params import LARGEST_INTEGER
from coldshelf.kit.web.request import run_of

JSON = "application/json"
TAG = "Event"
Type = Annotated[str, Path(max_length=100, description="Type of an event", examples=["image.processed"])]


class EventListed(BaseModel):
    """One event that can be subscribed to."""

    type: str
    version: int = Field(description="Raised when something is taken away or changed; additions leave it as it is")
    meaning: str
    dataset: str = Field(description="What its record is")
    isPromised: bool = Field(description="Nothing publishes it yet")  # noqa: N815  # wire name


class EventsListed(BaseModel):
    data: list[EventListed]


class EventShown(EventListed):
    body: dict[str, Any] = Field(alias="schema", description="JSON Schema (2020-12) of its body")
    sample: dict[str, Any] = Field(description="A body")


class Trigger(BaseModel):
    """Which record the event is to be about."""

    model_config = ConfigDict(extra="forbid")

    Record: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] | None = Field(
        default=None, description="Key of a record of its dataset; the newest one unless sent"
    )


class Triggered(BaseModel):
    """What was published."""

    EventId: str = Field(description="webhook-id of its callbacks: look for it in /api/v1/deliveries")
    Dataset: str
    Record: int


def event_router(kinds: Mapping[str, EventType], around: Surroundings) -> APIRouter:
    """Make the operations on these public events, by their types."""
    router = APIRouter(prefix="/api/v1/events", tags=[TAG])
    described = describe_events(kinds.values(), around)

    @router.get(
        "",
        response_model=EventsListed,
        operation_id="list_events",
        summary="List the events that can be subscribed to",
        responses=problems(401, 403, 429),
    )
    async def events(principal: SignedIn) -> Response:
        principal.require(PEOPLE)
        return Response(orjson.dumps({"data": [_line(one) for one in described.values()]}), media_type=JSON)

    @router.get(
        "/{type}",
        response_model=EventShown,
        operation_id="get_event",
        summary="Read what an event says: JSON Schema and a sample",
        responses=problems(401, 403, 404, 429),
    )
    async def event(principal: SignedIn, type: Type) -> Response:  # noqa: A002  # the name in the path
        principal.require(PEOPLE)
        one = described[kind_of(kinds, type).name]
        return Response(orjson.dumps({**_line(one), "schema": one.schema, "sample": one.sample}), media_type=JSON)

    @router.post(
        "/{type}/trigger",
        status_code=202,
        response_model=Triggered,
        operation_id="trigger_event",
        summary="Publish an event about a real record, to see what it does to those who receive it",
        description="Nothing else happens: the record stays as it is. Callbacks carry the header "
        f"`{TRIGGERED}: 1`; a `callbackUrl` is not called.",
        responses=problems(400, 401, 403, 404, 409, 422, 429),
    )
    async def trigger(
        request: Request,
        principal: SignedIn,
        type: Type,  # noqa: A002  # the name in the path
        wanted: Trigger | None = None,
    ) -> Response:
        require_admin(principal)
        asked = wanted or Trigger()
        run, kind = run_of(request), kind_of(kinds, type)
        event = await find_trigger(run, around, principal.client, kind, asked.Record)

        async def write(connection: Connection) -> BaseModel:
            await publish_trigger(run, connection, event)
            return Triggered(EventId=str(event.id), Dataset=event.dataset, Record=event.key)

        return await write_as_admin(request, principal, SUBSCRIPTIONS, asked, write, status=202)

    return router


def _line(one: DescribedEvent) -> dict[str, object]:
    return {
        "type": one.type,
        "version": one.version,
        "meaning": one.meaning,
        "dataset": one.dataset,
        "isPromised": one.is_promised,
    }
