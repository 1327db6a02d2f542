"""Drives use cases over HTTP, with and without await. The only part that knows the HTTP library."""

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import anyio
import httpx

from coldshelf.client.core import Broken, Call, Emit, Outcome, Reply, Steps, Stream, Wait

T = TypeVar("T")
R = TypeVar("R")
AGENT = "coldshelf-client"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is, and who asks."""

    url: str
    user: str | None
    password: str | None
    token: str | None
    timeout: float
    ca_file: str | Path | None

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError(f"{self.url!r}: give the address as https://host or http://host:port")
        if (self.token is None) == (self.user is None or self.password is None):
            raise ValueError("give either user and password, or token")

    def options(self) -> dict[str, Any]:  # httpx's own parameters
        """Give what both kinds of httpx client are made with; a redirect could take secrets away."""
        headers = {"User-Agent": AGENT}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        return {
            "base_url": self.url,
            "headers": headers,
            "auth": None if self.token is not None else httpx.BasicAuth(self.user or "", self.password or ""),
            "timeout": self.timeout,
            "verify": ssl.create_default_context(cafile=self.ca_file) if self.ca_file else True,
            "follow_redirects": False,
        }


class SyncDriver:
    """Drives use cases by `httpx.Client`."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], object] = time.sleep) -> None:
        self.http = http
        self._sleep = sleep

    def run(self, steps: Steps[R]) -> R:
        """Do all steps and give the result."""
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # what a generator returns is not typed
            outcome = self._do(step)

    def iterate(self, stream: Stream[T]) -> Iterator[T]:
        """Do the steps and hand on what is emitted."""
        outcome: Outcome = None
        while True:
            try:
                step = stream.send(outcome)
            except StopIteration:
                return
            if isinstance(step, Emit):
                outcome = None
                yield step.item
            else:
                outcome = self._do(step)

    def _do(self, step: Call | Wait) -> Outcome:
        if isinstance(step, Wait):
            self._sleep(step.seconds)
            return None
        try:
            with self.http.stream(**_arguments(step)) as response:
                if step.sink is not None and response.is_success:
                    with step.sink.open("wb") as file:
                        _write(file, response.iter_bytes())
                    return _reply(response, b"")
                return _reply(response, response.read())
        except httpx.TransportError as error:
            return _broken(error)


class AsyncDriver:
    """Drives use cases by `httpx.AsyncClient`."""

    def __init__(self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[object]] = anyio.sleep) -> None:
        self.http = http
        self._sleep = sleep

    async def run(self, steps: Steps[R]) -> R:
        """Do all steps and give the result."""
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # what a generator returns is not typed
            outcome = await self._do(step)

    async def iterate(self, stream: Stream[T]) -> AsyncIterator[T]:
        """Do the steps and hand on what is emitted."""
        outcome: Outcome = None
        while True:
            try:
                step = stream.send(outcome)
            except StopIteration:
                return
            if isinstance(step, Emit):
                outcome = None
                yield step.item
            else:
                outcome = await self._do(step)

    async def _do(self, step: Call | Wait) -> Outcome:
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        try:
            async with self.http.stream(**_arguments(step)) as response:
                if step.sink is not None and response.is_success:
                    async with await anyio.open_file(step.sink, "wb") as file:
                        async for chunk in response.aiter_bytes():
                            await file.write(chunk)
                    return _reply(response, b"")
                return _reply(response, await response.aread())
        except httpx.TransportError as error:
            return _broken(error)


def _arguments(call: Call) -> dict[str, Any]:  # httpx's own parameters
    arguments: dict[str, Any] = {"method": call.method, "url": call.path, "headers": dict(call.headers)}
    if call.query:
        arguments["params"] = dict(call.query)
    if call.body is not None:
        return arguments | {"json": dict(call.body)}
    if call.content is not None:
        return arguments | {"content": call.content}
    if call.files:
        arguments["files"] = [(file.field, (file.name, file.content)) for file in call.files]
    if call.form:
        form: dict[str, list[str]] = {}
        for name, value in call.form:
            form.setdefault(name, []).append(value)
        arguments["data"] = form
    return arguments


def _write(file: BinaryIO, chunks: Iterator[bytes]) -> None:
    file.writelines(chunks)


def _reply(response: httpx.Response, content: bytes) -> Reply:
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, content)


def _broken(error: httpx.TransportError) -> Broken:
    if isinstance(error, httpx.TimeoutException):
        return Broken("no answer in time")
    return Broken(f"the connection failed or broke off: {error}")
