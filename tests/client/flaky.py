"""A line to a server that breaks as a script says."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.support.receiver import Receiver, answer, receiver

HOPS = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "date", "server"}


@dataclass
class Line:
    """`script`: what becomes of the next requests, each by a word; the others pass.

    `cut`: nothing arrives. `lose`: it arrives, the answer does not. `half`: half of the answer does. `late`: 429 with
    Retry-After, `busy`: 503, `html`: somebody else's page.
    """

    address: str
    heard: Receiver
    script: deque[str] = field(default_factory=deque)


@asynccontextmanager
async def flaky_line(address: str) -> AsyncIterator[Line]:
    """Listen, and pass on what the script lets through."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as far:

        async def serve(head: str) -> bytes:
            word = line.script.popleft() if line.script else "pass"
            if word in REFUSALS:
                return REFUSALS[word]
            passed = await _pass_on(far, head, line.heard.bodies[-1])
            return TWISTS.get(word, bytes)(passed)

        async with receiver(serve) as heard:
            line = Line(heard.url, heard)
            yield line


REFUSALS = {
    "cut": b"",
    "late": answer(b'{"success":false,"info":"Too many requests"}', "Retry-After: 7", status="429 Too Many Requests"),
    "busy": answer(b"<html>busy</html>", status="503 Service Unavailable"),
    "html": answer(b"<html>Welcome to the hotel</html>", "Content-Type: text/html"),
}
TWISTS: dict[str, Callable[[bytes], bytes]] = {
    "lose": lambda _: b"",
    # what is cut off says nothing of its length in our spelling, so that the receiver closes behind it
    "half": lambda passed: passed.replace(b"Content-Length", b"content-length")[: len(passed) - 10],
}


async def _pass_on(far: httpx.AsyncClient, head: str, body: bytes) -> bytes:
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines) if name]
    sent = [(name, value) for name, value in headers if name.lower() not in HOPS]
    got = await far.request(method, path, headers=sent, content=body)
    back = [f"{name}: {value}" for name, value in got.headers.items() if name.lower() not in HOPS]
    return answer(got.content, *back, status=f"{got.status_code} X")
