"""Small real servers on loopback addresses that note who came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


def redirect(to: str, status: int = 302) -> bytes:
    return answer(b"", f"Location: {to}", status=f"{status} Found")


@dataclass
class Receiver:
    """`connections` counts what was connected; the rest is what was sent, and the names asked for in TLS."""

    address: str
    port: int = 0
    connections: int = 0
    requests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}"

    def header(self, name: str) -> str | None:
        """Give a header of the latest request."""
        pairs = (line.partition(": ") for line in self.requests[-1].split("\r\n")[1:])
        return {key.lower(): value for key, _, value in pairs}.get(name.lower())


Answers = bytes | Callable[[str], bytes | Awaitable[bytes]]
"""What is sent back: always the same bytes, or what a function makes of the head of a request."""


@asynccontextmanager
async def receiver(
    answers: Answers = OK,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    pause: float = 0,
) -> AsyncIterator[Receiver]:
    """Listen and answer; `pause`: the answer comes byte by byte, with so many seconds between two."""
    seen = Receiver(address, port)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.requests.append((await reader.readuntil(b"\r\n\r\n")).decode("latin1"))
            seen.bodies.append(await reader.readexactly(int(seen.header("content-length") or 0)))
            given = answers(seen.requests[-1]) if callable(answers) else answers
            content = given if isinstance(given, bytes) else await given
            for piece in [content[n : n + 1] for n in range(len(content))] if pause else [content]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
            if b"Content-Length" not in content:
                return

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: seen.names.append(name)
    async with _listening(seen, serve, tls):
        yield seen


@asynccontextmanager
async def connect_proxy() -> AsyncIterator[Receiver]:
    """Listen as a proxy that opens tunnels (CONNECT)."""
    seen = Receiver("127.0.0.1")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.requests.append((await reader.readuntil(b"\r\n\r\n")).decode("latin1"))
        host, _, port = seen.requests[-1].split(" ")[1].rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        finally:
            await _close(far_writer)

    async with _listening(seen, serve):
        yield seen


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@asynccontextmanager
async def _listening(seen: Receiver, serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """Listen; at the end nothing is left open, whatever the other side does."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        seen.connections += 1
        seen.peers.append(writer.get_extra_info("peername")[0])
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        await _close(writer)

    server = await asyncio.start_server(accept, seen.address, seen.port, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await asyncio.sleep(0)
    if writer.transport.get_write_buffer_size() == 0:
        writer.transport.abort()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
