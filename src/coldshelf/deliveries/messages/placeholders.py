"""Placeholders in the words of a client: `{|Name|}` (contract 7.4); all other text is kept. Pure."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from coldshelf.records.errors import FieldInvalid

PLACEHOLDER = re.compile(r"\{\|\s*([^|{}]*?)\s*\|\}")
WIRE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
COMMON = ("Event", "EventMeaning", "EventTime", "Link", "ClientName", "Subscription")
"""Those of every message. `EventTime` is that of the receiver."""
OF_DIGESTS = ("ClientName", "Subscription", "Count", "Entries")
OF_ALERTS = (
    *("BatteryLevel", "Column", "CoolerDisconnectDuration", "DoorCount", "DoorOpenDuration"),
    *("DoorPercentage", "GPSDisplacement", "Humidity", "IssueText", "Latitude", "LightIntensity", "LightOffHours"),
    *("Longitude", "MovementCount", "MovementDuration", "NoDataDuration", "PlanogramCompliance", "PowerStatus"),
    *("Product", "PurityPercentage", "SalesCount", "Shelf", "SKU", "SoundLevel", "SOVIType", "StartTime", "Stock"),
    *("StockCount", "StockPercentage", "Temperature", "ClientTime", "ColasPercentage", "CombinePercentage"),
    "FlavorsPercentage",
)
"""Those of the contract's alerts; empty where the alert has no such value."""


def check_placeholders(wire: str, text: str, known: Collection[str]) -> None:
    """Raise FieldInvalid for a placeholder that is not among those that exist."""
    names = {name.lower() for name in known}
    unknown = [name for name in PLACEHOLDER.findall(text) if name.lower() not in names]
    if unknown:
        told = ", ".join(f"{{|{name}|}}" for name in dict.fromkeys(unknown))
        raise FieldInvalid(f"{wire}: there is no {told[:200]}; there are {', '.join(sorted(known))}")


def fill(text: str, values: Mapping[str, Any]) -> str:
    """Put values in; a line all of whose placeholders are empty is left out, blank lines do not add up."""
    held = {name.lower(): value for name, value in values.items()}
    lines = [line for line in (_filled(line, held) for line in text.splitlines()) if line is not None]
    return BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def one_line(text: str) -> str:
    """Make text fit for a header: no line breaks, no controls."""
    return " ".join(CONTROLS.sub(" ", text).split())


def shown(value: Any, zone: ZoneInfo | None = None) -> str:  # a value of a record
    """Write a value as people read it."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, datetime):
        return f"{value.astimezone(zone or UTC):%Y-%m-%d %H:%M}"
    text = str(value)
    return text[:16].replace("T", " ") if WIRE_TIME.fullmatch(text) else CONTROLS.sub(" ", text)


def _filled(line: str, held: Mapping[str, Any]) -> str | None:
    names = PLACEHOLDER.findall(line)
    values = [str(held.get(name.lower(), "")) for name in names]
    if names and not any(values):
        return None
    found = iter(values)
    return PLACEHOLDER.sub(lambda _: next(found), line)
