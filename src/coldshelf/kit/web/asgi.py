"""What happens around every request, as plain ASGI: path, request id, limits, faults, log line, metrics.

`equip` puts the layers on in their order, the outermost first: RequestId, Observe, Guard.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from fastapi import FastAPI
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldshelf.kit.errors import TooLarge
from coldshelf.kit.logs import get_logger
from coldshelf.kit.web.errors import Unexpected, add_error_handlers, error_answer
from coldshelf.kit.web.request import CONTROLLERS, HEADERS, REQUEST_ID, VERSIONED_CONTROLLERS

log = get_logger("http")

REQUESTS = Counter("coldshelf_http_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "coldshelf_http_request_seconds",
    "Time from the request's head to the end of the answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SMALL = 256 * 1024
"""Bytes that are read before an answer that did not want them."""
PATIENCE = 2
"""Seconds that such an answer waits for them at most."""
CLIENT_GONE = 499
"""The status that logs and metrics show when the caller hung up before the answer; nginx's number."""

_SANE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_ACTION = re.compile(rb"(?:^|&)action=([A-Za-z]{1,40})(?:&|$)", re.IGNORECASE)
_LONG_PART = re.compile(r"[^/]{37,}")


def equip(app: FastAPI, *, max_body_bytes: int) -> None:
    """Put the error handlers and every layer on the application."""
    add_error_handlers(app)
    app.add_middleware(Guard, max_body_bytes=max_body_bytes)
    app.add_middleware(Observe)
    app.add_middleware(RequestId)


class RequestId:
    """Gives the request its id; puts it and the gathered headers on the answer.

    It also lower-cases `/controllers/…`, which `/v1/controllers/…` is another name for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = _contract_path(scope["path"])
        request_id = scope[REQUEST_ID] = _request_id(Headers(scope=scope).get("x-request-id", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *scope.get(HEADERS, ())]}
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_headers)


class Observe:
    """Writes one log line a request and counts it. Never a query value but the contract's action."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = CLIENT_GONE

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            _note(scope, status, time.perf_counter() - began)


class Guard:
    """Bounds the body and turns whatever nobody caught into an answer that tells nothing of the inside."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if _announced(scope) > self._limit:
            answer = error_answer(request, self._too_large())
            answer.headers["Connection"] = "close"  # the body is not read
            await answer(scope, receive, send)
            return
        body = Body(receive, self._limit, self._too_large)
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            if not started and 0 < _announced(scope) <= SMALL:
                await body.finish()
            started = True
            await send(message)

        try:
            await self._app(scope, body.receive, send_and_note)
        except ClientDisconnect:
            return
        except Exception as error:  # the edge: a fault of one request is logged and answered, never the server's end
            log.exception("http.unexpected", exc_info=error)
            if started:
                raise  # half an answer is out: the server must cut the connection
            await error_answer(request, Unexpected())(scope, body.receive, send_and_note)

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The request body is larger than {self._limit:,} bytes.")


class Body:
    """The body of a request, read up to a limit."""

    def __init__(self, receive: Receive, limit: int, too_large: Callable[[], TooLarge]) -> None:
        self._receive = receive
        self._limit = limit
        self._too_large = too_large
        self._size = 0
        self._ended = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = not message.get("more_body", False)
        self._size += len(message.get("body", b""))
        if self._size > self._limit:
            self._ended = True
            raise self._too_large()
        return message

    async def finish(self) -> None:
        """Read what is left of a small body: a caller still sending when the connection closes sees no answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not self._ended:
                    await self.receive()


def _contract_path(path: str) -> str:
    lower = path.lower()
    if lower.startswith(VERSIONED_CONTROLLERS):
        return lower[len(VERSIONED_CONTROLLERS) - len(CONTROLLERS) :]
    return lower if lower.startswith(CONTROLLERS) else path


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _request_id(sent: str) -> str:
    return sent if _SANE_ID.fullmatch(sent) else uuid.uuid4().hex


def _note(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    route: Any = scope.get("route")  # FastAPI's route, or nothing when no route matched
    template = getattr(route, "path", "") or "unmatched"
    REQUESTS.labels(method, template, status).inc()
    SECONDS.labels(method, template).observe(seconds)
    action = _ACTION.search(scope["query_string"])
    # A long part of a path may be a signed link: it opens a door, so it is not logged.
    path = _LONG_PART.sub("…", scope["path"])[:200]
    extra = {"action": action[1].decode()} if action else {}
    log.info("http.request", method=method, path=path, status=status, ms=round(seconds * 1000, 1), **extra)
