"""Subscriptions: which events are sent where, how, and within whose limits."""

from collections.abc import Collection
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.catalogue import check_words
from coldshelf.deliveries.messages.addresses import is_mailbox, is_phone
from coldshelf.deliveries.messages.hours import find_zone, read_wall_time
from coldshelf.deliveries.messages.templates import LONGEST_LANGUAGE, check_language
from coldshelf.deliveries.models import CALLBACK, EMAIL, MESSAGES, PREFERRED, SLACK, SMS, Pace
from coldshelf.kit.db import Connection
from coldshelf.records.entity import BeforeSave, Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType

LONGEST_URL = 2000
RECEIVER = {"deliver_by", "url", "recipient_id", "digest"}
FRESH: Values = {"failing_since": None, "disabled_on": None, "disabled_because": ""}
"""A subscription that is switched on anew has not failed yet."""


def _rule(events: Collection[str]) -> BeforeSave:
    async def checked(_: Connection, values: Values, before: Values | None) -> dict[str, Any]:
        held = {**(before or {}), **values}
        if before is None or RECEIVER & values.keys():
            _check_receiver(held)
        _check_time(held)
        if held.get("language"):
            check_language(held["language"])
        check_words(str(values.get("events") or ""), events)
        is_revived = values.get("is_active") and before and not before.get("is_active")
        return {**values, **(FRESH if is_revived or before is None else {})}

    return checked


def _check_receiver(held: Values) -> None:
    """Raise FieldInvalid unless the address is one of the channel, or the recipient stands for it."""
    channel, url, has_recipient = held.get("deliver_by") or CALLBACK, held.get("url") or "", held.get("recipient_id")
    if channel == CALLBACK and not url.lower().startswith(("https://", "http://")):
        raise FieldInvalid("Url takes an address that begins with https://")
    if channel == SLACK and not url.lower().startswith(("https://", "http://")):
        raise FieldInvalid("Url takes the address of an incoming webhook of Slack; it begins with https://")
    if channel == EMAIL and not (is_mailbox(url) or (has_recipient and not url)):
        raise FieldInvalid("Url takes a mailbox such as ann@example.org, or stays empty where RecipientId names a user")
    if channel == SMS and not (is_phone(url) or (has_recipient and not url)):
        raise FieldInvalid("Url takes a number such as +4366012345678, or stays empty where RecipientId names a user")
    if channel == PREFERRED and (url or not has_recipient):
        raise FieldInvalid("DeliverBy=preferred takes a RecipientId, whose wish decides, and no Url")
    if channel == CALLBACK and (held.get("digest") or Pace.EACH) != Pace.EACH:
        raise FieldInvalid("Digest is for people; callbacks are sent for each event")


def _check_time(held: Values) -> None:
    if held.get("time_zone"):
        find_zone(held["time_zone"])
    quiet = {wire: held.get(column) for wire, column in (("QuietFrom", "quiet_from"), ("QuietTo", "quiet_to"))}
    times = [read_wall_time(wire, text) for wire, text in quiet.items() if text]
    if len(times) == 1 or (times and times[0] == times[1]):
        raise FieldInvalid("QuietFrom and QuietTo go together and differ, such as 22:00 and 07:00")


def _filter(wire: str, to: str, by: dict[str, str], shows: dict[str, str]) -> Reference:
    return Reference(wire=wire, to=to, by=by, shows=shows, meaning=f"Only events of this {to.lower()}")


FIELDS = (
    Field(wire="Name", required=True, unique=True, max_length=150, meaning="Unique name"),
    Field(
        wire="Url",
        max_length=LONGEST_URL,
        meaning="Address: https://… of a callback or a Slack webhook, mailbox, or telephone number",
    ),
    Field(
        wire="DeliverBy",
        choices=(CALLBACK, *MESSAGES, PREFERRED),
        meaning="How it is sent; preferred: e-mail or SMS, as the recipient wishes",
    ),
    Field(wire="Digest", choices=tuple(Pace), meaning="each: one message for each event; or one for all of them"),
    Field(wire="Language", max_length=LONGEST_LANGUAGE, meaning="Language of messages; empty: the client's"),
    Field(wire="TimeZone", max_length=100, meaning="Zone of quiet hours and digests; empty: the recipient's"),
    Field(wire="QuietFrom", max_length=5, meaning="Messages wait from then, such as 22:00"),
    Field(wire="QuietTo", max_length=5, meaning="Until then, such as 07:00"),
    Field(
        wire="Events",
        max_length=1000,
        meaning="Comma list of events, such as image.processed, order.* or *; empty: all of them",
    ),
    Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="No: nothing is sent"),
    Field(
        wire="FailingSince",
        type=FieldType.TIMESTAMP,
        unit="UTC",
        read_only=True,
        meaning="No attempt has succeeded since then; empty: the latest did",
    ),
    Field(
        wire="DisabledOn",
        type=FieldType.TIMESTAMP,
        unit="UTC",
        read_only=True,
        meaning="When it was switched off because its receiver is gone or failed for five days",
    ),
    Field(wire="DisabledBecause", read_only=True, meaning="Why it was switched off"),
)
REFERENCES = (
    _filter("MarketId", "Market", {"Market": "Name"}, {"Market": "name"}),
    _filter("ChannelId", "Channel", {"Channel": "Name"}, {"Channel": "name"}),
    _filter("LocationId", "Location", {"LocationCode": "Code"}, {"LocationCode": "code"}),
    _filter("AssetId", "Asset", {"SerialNumber": "SerialNumber"}, {"SerialNumber": "serial_number"}),
    Reference(
        wire="RecipientId",
        to="User",
        by={"RecipientEmail": "PrimaryEmail"},
        shows={"RecipientEmail": "email"},
        meaning="Person whom messages reach",
    ),
    Reference(
        wire="UserId",
        to="User",
        by={"PrimaryEmail": "PrimaryEmail"},
        shows={"PrimaryEmail": "email"},
        meaning="Partner within whose limits rows and fields are sent; empty: everything",
    ),
)


def subscription(events: Collection[str]) -> Entity:
    """Declare subscriptions to events of these names."""
    return Entity(
        name="Subscription",
        table="subscription",
        meaning="Events that are sent to a system or a person as they happen",
        fields=FIELDS,
        references=REFERENCES,
        keys={"Name": "Name", "Subscription": "Name"},
        client_wide="A subscription sends events of many outlets.",
        every_outlet=True,
        readers=ADMINS,
        before_save=_rule(events),
    )
