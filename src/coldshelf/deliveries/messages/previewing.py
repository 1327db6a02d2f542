"""How a template would read: with sample values, or with a record that its reader may see."""

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from coldshelf.access.principal import Principal
from coldshelf.access.service import load_client
from coldshelf.deliveries.loading import load_records
from coldshelf.deliveries.messages import store as message_store
from coldshelf.deliveries.messages.hours import zone_of
from coldshelf.deliveries.messages.mail import html_of
from coldshelf.deliveries.messages.message import Frame, placeholders_of, told, worded, words_of
from coldshelf.deliveries.messages.placeholders import OF_ALERTS, check_placeholders
from coldshelf.deliveries.messages.templates import Words, languages
from coldshelf.deliveries.models import DIGEST, EMAIL, Json
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.runtime import Runtime
from coldshelf.records.dataset import Column
from coldshelf.records.errors import FieldInvalid, RecordNotFound
from coldshelf.records.fields import FieldType

SAMPLES = MappingProxyType(
    {
        "Location": "Corner Shop",
        "LocationCode": "L-1001",
        "City": "Vienna",
        "SerialNumber": "C-4711",
        "AssetSerialNumber": "C-4711",
        "Product": "Cola 0.5 l",
        "AlertText": "Stock below 80 %",
        "AlertType": "Stock",
        "CurrencyCode": "EUR",
        "DistributorName": "Fast Drinks",
        "Url": "https://hooks.example/coldshelf",
    }
)
BY_TYPE = MappingProxyType(
    {
        FieldType.INTEGER: 12,
        FieldType.FLOAT: 66.7,
        FieldType.DECIMAL: 12.5,
        FieldType.BOOLEAN: True,
        FieldType.FLAG: 1,
        FieldType.DATE: "2026-11-27",
        FieldType.TIMESTAMP: "2026-11-27T08:30:00.000000",
        FieldType.LOCAL_TIME: "2026-11-27T09:30:00.000000",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be shown: words of its own, or empty for those that would be used. `record_id` None: a sample."""

    event: str
    channel: str
    language: str = ""
    subject: str = ""
    body: str = ""
    record_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How it reads; `html` is that of a mail."""

    subject: str
    text: str
    html: str
    language: str


async def preview(run: Runtime, around: Surroundings, principal: Principal, draft: Draft, now: datetime) -> Preview:
    """Render a draft; raise FieldInvalid or RecordNotFound."""
    if draft.event not in around.about and draft.event != DIGEST:
        raise FieldInvalid(f"Event: there is no {draft.event[:60]}; there are {', '.join((*around.about, DIGEST))}")
    known = placeholders_of(around, draft.event)
    check_placeholders("Subject", draft.subject, known)
    check_placeholders("Body", draft.body, known)
    client = await load_client(run, principal.client)
    async with run.database.scope(principal.client, readonly=True) as connection:
        settings = await message_store.find_settings(connection)
        wished = languages(draft.language, settings["language"] if settings else None)
        words = await words_of(connection, draft.event, draft.channel, wished)
    frame = Frame(zone_of(client.time_zone), client.name, "Sample")
    values = told(around, frame, draft.event, now, await _record(run, around, principal, draft))
    message = worded(_chosen(words, draft), values, frame, sender=settings["sender_name"] if settings else "")
    return Preview(
        subject=message.subject,
        text=message.text,
        html=html_of(message) if draft.channel == EMAIL else "",
        language=message.language,
    )


def _chosen(words: Words, draft: Draft) -> Words:
    return replace(words, subject=draft.subject or words.subject, body=draft.body or words.body)


async def _record(run: Runtime, around: Surroundings, principal: Principal, draft: Draft) -> Json:
    if draft.event == DIGEST:
        entries = ["- 2026-11-27 09:30 Cooler seen: Corner Shop", "- 2026-11-27 10:05 Alert: Stock below 80 %"]
        return {"Count": 2, "Entries": "\n".join(entries)}
    dataset = around.registry.datasets[around.about[draft.event]]
    if draft.record_id is None:
        alerts = dict.fromkeys(OF_ALERTS, "12") if draft.event.startswith("alert.") else {}
        return alerts | {column.wire: _sample(column) for column in dataset.columns}
    found = await load_records(run, principal, dataset, [draft.record_id])
    if draft.record_id not in found:
        raise RecordNotFound(f"There is no {dataset.name} {draft.record_id}")
    return found[draft.record_id]


def _sample(column: Column) -> object:
    return SAMPLES.get(column.wire) or BY_TYPE.get(column.type, column.wire)
