"""A real SMTP server on loopback: STARTTLS or implicit TLS, sign-in, answers that are set, mails kept whole."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import trustme

USER, PASSWORD = "coldshelf", "p4ss word"


@dataclass(frozen=True)
class Mail:
    sender: str
    address: str
    content: bytes
    was_safe: bool

    @property
    def parsed(self) -> EmailMessage:
        found = message_from_bytes(self.content, policy=default)
        assert isinstance(found, EmailMessage)
        return found

    def part(self, kind: str) -> EmailMessage:
        return next(part for part in self.parsed.walk() if part.get_content_type() == kind)

    @property
    def text(self) -> str:
        return str(self.part("text/plain").get_content()).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return str(self.part("text/html").get_content()).replace("\r\n", "\n")


@dataclass
class Mailbox:
    """`answers` are given in place of the usual ones: by command, the next first."""

    port: int = 0
    ca: Path = Path()
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    answers: dict[str, list[str]] = field(default_factory=dict)
    offers_tls: bool = True


@asynccontextmanager
async def mailbox(folder: Path, *, host: str = "127.0.0.1", implicit: bool = False) -> AsyncIterator[Mailbox]:
    """Listen; the certificate is for 127.0.0.1, by an authority in `ca`."""
    authority, box = trustme.CA(), Mailbox()
    box.ca = folder / "mail-ca.pem"
    authority.cert_pem.write_to_path(box.ca)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError, OSError):
            await _Session(box, reader, writer, tls, is_safe=implicit).run()
        writer.close()

    server = await asyncio.start_server(accept, host, 0, ssl=tls if implicit else None, limit=2**24)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Session:
    def __init__(
        self,
        box: Mailbox,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        tls: ssl.SSLContext,
        *,
        is_safe: bool,
    ) -> None:
        self.box, self.reader, self.writer, self.tls, self.is_safe = box, reader, writer, tls, is_safe
        self.sender = self.address = ""
        self.signed_in = False

    async def run(self) -> None:
        await self._say(self._set("CONNECT") or "220 mail.test ESMTP")
        while line := await self.reader.readline():
            text = line.decode().rstrip("\r\n")
            verb = text.split(" ")[0].upper()
            self.box.commands.append(text if verb != "AUTH" else "AUTH")
            handle: Callable[[str], object] | None = getattr(self, f"_{verb.lower()}", None)
            said = self._set(verb)
            if said or handle is None:
                await self._say(said or "502 no such command")
                continue
            if await handle(text) == "end":  # type: ignore[misc]  # every handler is a coroutine
                return

    async def _ehlo(self, _: str) -> None:
        more = [] if self.is_safe or not self.box.offers_tls else ["STARTTLS"]
        names = ["mail.test", "SIZE 10000000", "AUTH PLAIN LOGIN", *more]
        await self._say("\r\n".join([*(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}"]))

    async def _starttls(self, _: str) -> None:
        await self._say("220 go ahead")
        await self.writer.start_tls(self.tls)
        self.is_safe = True

    async def _auth(self, text: str) -> None:
        given = base64.b64decode(text.split(" ")[2]).decode().split("\0")[1:]
        self.signed_in = given == [USER, PASSWORD]
        await self._say("235 welcome" if self.signed_in else "535 5.7.8 wrong")

    async def _mail(self, text: str) -> None:
        self.sender = text.partition("<")[2].partition(">")[0]
        await self._say("250 ok" if self.signed_in else "530 5.7.0 sign in first")

    async def _rcpt(self, text: str) -> None:
        self.address = text.partition("<")[2].partition(">")[0]
        await self._say("250 ok")

    async def _data(self, _: str) -> None:
        await self._say("354 go on")
        content = (await self.reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        said = self._set("CONTENT")
        if not said:
            self.box.mails.append(Mail(self.sender, self.address, content, self.is_safe))
        await self._say(said or "250 2.0.0 taken")

    async def _rset(self, _: str) -> None:
        await self._say("250 ok")

    async def _quit(self, _: str) -> str:
        await self._say("221 bye")
        return "end"

    def _set(self, verb: str) -> str:
        held = self.box.answers.get(verb)
        return held.pop(0) if held else ""

    async def _say(self, text: str) -> None:
        self.writer.write(f"{text}\r\n".encode())
        await self.writer.drain()
