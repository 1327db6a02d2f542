"""`/api/v1/events`: which events there are, and what each says."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from coldshelf.access.principal import PEOPLE
from coldshelf.access.web import SignedIn
from coldshelf.deliveries.described import DescribedEvent, describe_events
from coldshelf.deliveries.errors import EventNotFound
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.events import EventType
from coldshelf.kit.web.openapi import problems

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


def event_router(kinds: dict[str, EventType], around: Surroundings) -> APIRouter:
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
        one = described.get(type)
        if one is None:
            raise EventNotFound(f"There is no event {type!r}")
        return Response(orjson.dumps({**_line(one), "schema": one.schema, "sample": one.sample}), media_type=JSON)

    return router


def _line(one: DescribedEvent) -> dict[str, object]:
    return {
        "type": one.type,
        "version": one.version,
        "meaning": one.meaning,
        "dataset": one.dataset,
        "isPromised": one.is_promised,
    }
