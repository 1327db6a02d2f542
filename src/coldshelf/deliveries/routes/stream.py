"""`/api/v1/events/stream`: events as they happen, for one who has no address that could be called."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.types import Receive, Scope, Send

from coldshelf.access.principal import PEOPLE
from coldshelf.access.web import SignedIn
from coldshelf.deliveries.catalogue import EVERYTHING, check_words, means, split
from coldshelf.deliveries.developing.streaming import LONGEST, Stream, Wanted, read_place
from coldshelf.deliveries.errors import StreamsExceeded
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.events import EventType
from coldshelf.kit.ids import ClientId
from coldshelf.kit.memory import Memory
from coldshelf.kit.web.openapi import problems
from coldshelf.kit.web.request import run_of
from coldshelf.records.handlers import ClosingStream

MEDIA_TYPE = "text/event-stream"
MOST_OPEN = 10
"""Streams of one client that are open at a time, in one process."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Nothing on the way may hold it back."""
MOST_SECONDS = int(LONGEST.total_seconds())
Seconds = Annotated[int, Query(alias="wait", ge=0, le=MOST_SECONDS, description="Seconds until it ends, to come again")]
_open: Memory[Counter[ClientId]] = Memory(lambda _: Counter())


class CountedStream(ClosingStream):
    """A stream that counts as open until it ends, however it ends."""

    def __init__(self, source: Stream) -> None:
        super().__init__(source.frames(), headers=HEADERS, media_type=MEDIA_TYPE)
        self._counts, self._client = _open.of(source.run), source.principal.client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._counts[self._client] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._counts[self._client] -= 1


def stream_router(kinds: Mapping[str, EventType], around: Surroundings) -> APIRouter:
    """Make the operation that follows these public events, by their types."""
    router = APIRouter(prefix="/api/v1/events", tags=["Event"])

    @router.get(
        "/stream",
        response_class=Response,
        operation_id="stream_events",
        summary="Follow events as they happen (server-sent events)",
        description="Bodies are those of callbacks, within the limits of the caller; each `id` says where to go on "
        "behind it. Events come in the order in which they were committed, none is left out.",
        responses={200: {"description": "Events until `wait` is over", "content": _CONTENT}, **_ERRORS},
    )
    async def stream(
        request: Request,
        principal: SignedIn,
        *,
        after: Annotated[str, Query(description="`id` of the last event; left out: from now on")] = "",
        events: Annotated[str, Query(description="Comma list such as image.*; left out: all")] = EVERYTHING,
        wait: Seconds = MOST_SECONDS,
        last_event_id: Annotated[str, Header(description="As `after`; what browsers send")] = "",
    ) -> Response:
        principal.require(PEOPLE)
        check_words(events, kinds)
        run = run_of(request)
        if _open.of(run)[principal.client] >= MOST_OPEN:
            raise StreamsExceeded
        names = [name for name in kinds if any(means(word, name) for word in split(events or EVERYTHING))]
        place = await read_place(run, principal, after or last_event_id)
        wanted = Wanted(kinds=names, place=place, stay=timedelta(seconds=wait))
        return CountedStream(Stream(run, around, principal, wanted))

    return router


_CONTENT: dict[str, Any] = {MEDIA_TYPE: {"schema": {"type": "string"}}}  # part of an OpenAPI document
_ERRORS = problems(400, 401, 403, 410, 429)
