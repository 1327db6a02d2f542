"""Entity tags of records and the preconditions that name them (RFC 9110, section 13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from coldshelf.kit.errors import PreconditionFailed
from coldshelf.records.dataset import MODIFIED_ON
from coldshelf.records.entity import Values
from coldshelf.records.fields import parse_timestamp
from coldshelf.records.resources.bodies import Record

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANY = "*"


def tag_at(modified_on: datetime) -> str:
    """Make the tag of a row: every change gives it a later modification time, by a microsecond at least."""
    return f'"{(modified_on - EPOCH) // timedelta(microseconds=1):x}"'


def tag_of(record: Record) -> str:
    """Make the tag of a record as it was read; empty where the modification time is not shown."""
    shown = record.get(MODIFIED_ON)
    return tag_at(parse_timestamp(msgspec.json.decode(shown, type=str))) if shown else ""


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a request says of the record that it expects: tags, `*` for any, None for nothing said."""

    match: frozenset[str] | None
    none_match: frozenset[str] | None

    def check(self, before: Values | None) -> None:
        """Raise PreconditionFailed unless the row before (None: there is none) is an expected one."""
        tag = tag_at(before["modified_on"]) if before else ""
        if self.match is not None and not _names(self.match, tag):
            raise PreconditionFailed(
                "The record was changed since it was read" if before else "If-Match names a record that is not there"
            )
        if self.none_match is not None and _names(self.none_match, tag):
            raise PreconditionFailed("If-None-Match names the record that is there")

    def knows(self, tag: str) -> bool:
        """Say whether the reader has what this tag names already; a weak tag is enough."""
        return bool(tag) and _names(frozenset(one.removeprefix("W/") for one in self.none_match or ()), tag)


def _names(tags: frozenset[str], tag: str) -> bool:
    return bool(tag) and (ANY in tags or tag in tags)


def read_precondition(headers: Mapping[str, str]) -> Precondition:
    return Precondition(_tags(headers.get("if-match")), _tags(headers.get("if-none-match")))


def _tags(value: str | None) -> frozenset[str] | None:
    return frozenset(part.strip() for part in value.split(",")) if value and value.strip() else None
