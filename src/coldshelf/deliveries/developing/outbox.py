"""What a sandbox kept, whole; and how its channels behave."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import orjson

from coldshelf.deliveries.channels import CHANNELS
from coldshelf.deliveries.developing import outbox_store
from coldshelf.deliveries.developing.sandbox import Behaviour
from coldshelf.deliveries.errors import ChannelUnknown, OutboxMessageNotFound, SandboxOff
from coldshelf.deliveries.models import EMAIL
from coldshelf.kit.db import Connection
from coldshelf.kit.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a mail: text as it is, all else in base64. `content_id`: by what the HTML refers to it."""

    content_type: str
    name: str = ""
    content_id: str = ""
    text: str | None = None
    base64: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it would have left: what has no text is in base64."""

    headers: list[tuple[str, str]]
    body: str
    is_base64: bool
    parts: list[Part]


async def load_message(connection: Connection, message_id: int) -> Message:
    """Load a message whole; raise OutboxMessageNotFound."""
    row = await outbox_store.find(connection, message_id)
    if row is None:
        raise OutboxMessageNotFound(f"There is no message {message_id} in the outbox")
    body = bytes(row["body"])
    headers = [(name, str(value)) for name, value in orjson.loads(row["headers"]).items()]
    if row["channel"] != EMAIL:
        text, is_base64 = _text(body)
        return Message(headers=headers, body=text, is_base64=is_base64, parts=[])
    mail = BytesParser(policy=policy.default).parsebytes(body)
    told = [*headers, *((name, str(value)) for name, value in mail.items())]
    text, is_base64 = _text(body)
    return Message(headers=told, body=text, is_base64=is_base64, parts=list(_parts(mail)))


def _parts(mail: EmailMessage) -> Iterator[Part]:
    for part in mail.walk():
        if part.is_multipart():
            continue
        kind, name = part.get_content_type(), part.get_filename() or ""
        content_id = str(part.get("content-id", "")).strip("<>")
        content = part.get_payload(decode=True)
        raw = content if isinstance(content, bytes) else b""
        if kind.startswith("text/"):
            text = raw.decode(part.get_content_charset() or "utf-8", errors="replace")
            yield Part(content_type=kind, name=name, content_id=content_id, text=text)
        else:
            yield Part(content_type=kind, name=name, content_id=content_id, base64=base64.b64encode(raw).decode())


def _text(body: bytes) -> tuple[str, bool]:
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


async def read_switches(connection: Connection) -> dict[str, Behaviour]:
    """Say how each channel behaves."""
    held = await outbox_store.switches(connection)
    return {name: Behaviour(held.get(name, Behaviour.OK)) for name in CHANNELS}


async def set_switches(run: Runtime, connection: Connection, wanted: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    """Say how channels behave from now on, those left out well; raise SandboxOff, ChannelUnknown."""
    if not run.settings.sandbox:
        raise SandboxOff
    if unknown := [name for name in wanted if name not in CHANNELS]:
        raise ChannelUnknown(f"{', '.join(unknown)[:100]} is no channel; there are {', '.join(CHANNELS)}")
    await outbox_store.switch(connection, {name: wanted.get(name, Behaviour.OK) for name in CHANNELS})
    return await read_switches(connection)
