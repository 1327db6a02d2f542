"""Subscriptions: which events are posted where, and within whose limits."""

from collections.abc import Collection
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.deliveries.catalogue import check_words
from coldshelf.kit.db import Connection
from coldshelf.records.entity import BeforeSave, Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType

LONGEST_URL = 2000
FRESH: Values = {"failing_since": None, "disabled_on": None, "disabled_because": ""}
"""A subscription that is switched on anew has not failed yet."""


def _rule(events: Collection[str]) -> BeforeSave:
    async def checked(_: Connection, values: Values, before: Values | None) -> dict[str, Any]:
        if "url" in values and not str(values["url"]).lower().startswith(("https://", "http://")):
            raise FieldInvalid("Url takes an address that begins with https://")
        check_words(str(values.get("events") or ""), events)
        is_revived = values.get("is_active") and before and not before.get("is_active")
        return {**values, **(FRESH if is_revived or before is None else {})}

    return checked


def _filter(wire: str, to: str, by: dict[str, str], shows: dict[str, str]) -> Reference:
    return Reference(wire=wire, to=to, by=by, shows=shows, meaning=f"Only events of this {to.lower()}")


def subscription(events: Collection[str]) -> Entity:
    """Declare subscriptions to events of these names."""
    return Entity(
        name="Subscription",
        table="subscription",
        meaning="Events that are posted to an address as they happen",
        fields=(
            Field(wire="Name", required=True, unique=True, max_length=150, meaning="Unique name"),
            Field(wire="Url", required=True, max_length=LONGEST_URL, meaning="Address that events are posted to"),
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
        ),
        references=(
            _filter("MarketId", "Market", {"Market": "Name"}, {"Market": "name"}),
            _filter("ChannelId", "Channel", {"Channel": "Name"}, {"Channel": "name"}),
            _filter("LocationId", "Location", {"LocationCode": "Code"}, {"LocationCode": "code"}),
            _filter("AssetId", "Asset", {"SerialNumber": "SerialNumber"}, {"SerialNumber": "serial_number"}),
            Reference(
                wire="UserId",
                to="User",
                by={"PrimaryEmail": "PrimaryEmail"},
                shows={"PrimaryEmail": "email"},
                meaning="Partner within whose limits rows and fields are sent; empty: everything",
            ),
        ),
        keys={"Name": "Name", "Subscription": "Name"},
        client_wide="A subscription sends events of many outlets.",
        every_outlet=True,
        readers=ADMINS,
        before_save=_rule(events),
    )
