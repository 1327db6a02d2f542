"""Publications: which datasets go where, in which form, when, and within whose limits."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from coldshelf.access.principal import ADMINS
from coldshelf.kit.db import Connection
from coldshelf.publishing.models import (
    CatchUp,
    Compression,
    Consistency,
    FileFormat,
    Layout,
    Mode,
    check_choice,
    read_choice,
)
from coldshelf.publishing.slots import check_schedule, find_zone
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType


async def _checked(_: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    held: Mapping[str, Any] = {**(before or {}), **values}
    if held.get("schedule"):
        check_schedule(held["schedule"])
    if held.get("time_zone"):
        find_zone(held["time_zone"])
    check_choice(read_choice(held.get("datasets"), held.get("columns")))
    form = FileFormat(held.get("format") or FileFormat.PARQUET)
    Layout(Compression(held["compression"]) if held.get("compression") else None, format=form)
    is_file = held.get("file_name")
    if held.get("mode") == Mode.SINCE and held.get("consistency") == Consistency.CHUNKED:
        raise FieldInvalid("Mode since reads one snapshot: send Consistency=snapshot, or Mode=delta")
    if held.get("open_tables") and (is_file or form is not FileFormat.PARQUET):
        raise FieldInvalid("OpenTables are written beside Parquet runs: send Format=parquet and no FileName")
    if held.get("open_tables") and held.get("mode") == Mode.SINCE:
        raise FieldInvalid("OpenTables need runs that overlap, so that none is missed: send Mode=delta or Mode=full")
    if is_file and "{table}" not in is_file and len(read_choice(held.get("datasets"), None).datasets) != 1:
        raise FieldInvalid("FileName must hold {table} where several datasets are published")
    return dict(values)


def _choice(wire: str, choices: tuple[str, ...], meaning: str) -> Field:
    return Field(wire=wire, choices=choices, meaning=meaning)


PUBLICATION = Entity(
    name="Publication",
    table="publication",
    meaning="Datasets that are written to a destination on a schedule",
    fields=(
        Field(wire="Name", required=True, unique=True, max_length=150, meaning="Unique name"),
        _choice(
            "Mode", tuple(Mode), "full: everything; delta: the last 30 days; since: what changed since its last run"
        ),
        Field(wire="Destination", max_length=150, meaning="Name of a destination that the operator has set up"),
        Field(wire="Datasets", max_length=2000, meaning="Comma list of datasets; empty: all that are published"),
        _choice("Format", tuple(FileFormat), "Form of the files"),
        _choice("Compression", tuple(Compression), "snappy or zstd for Parquet, gzip or none for text"),
        _choice("Consistency", tuple(Consistency), "snapshot: one moment for all tables; chunked: short transactions"),
        Field(
            wire="Columns",
            type=FieldType.JSON,
            max_length=20_000,
            meaning='Columns by dataset, and their names in the file: {"Location": {"LocationCode": "Code"}}',
        ),
        Field(
            wire="FileName",
            max_length=250,
            meaning="File exchange: path of a file, with {client}, {table}, {yyyyMMddHHmmss}; empty: folders of runs",
        ),
        Field(wire="OpenTables", type=FieldType.BOOLEAN, meaning="Keep a Delta Lake table of each dataset as well"),
        Field(
            wire="Schedule", max_length=100, meaning="Cron, five fields, such as 0 2 * * *; empty: only when asked for"
        ),
        Field(
            wire="TimeZone", max_length=100, meaning="Zone of the schedule, such as Europe/Berlin; empty: the client's"
        ),
        _choice("CatchUp", tuple(CatchUp), "What happens to missed slots: latest, all or none of them are made up"),
        Field(
            wire="LateAfter",
            type=FieldType.INTEGER,
            minimum=Decimal(1),
            maximum=Decimal(100_000),
            unit="minutes",
            meaning="A run that has not finished so long after its slot is told as late",
        ),
        Field(
            wire="KeepDays",
            type=FieldType.INTEGER,
            minimum=Decimal(35),
            maximum=Decimal(36_500),
            unit="days",
            meaning="Finished runs are removed after so long; empty: never",
        ),
        Field(wire="IsActive", type=FieldType.BOOLEAN, meaning="No: nothing runs by schedule"),
    ),
    references=(
        Reference(
            wire="UserId",
            to="User",
            by={"PrimaryEmail": "PrimaryEmail"},
            shows={"PrimaryEmail": "email"},
            meaning="Partner within whose limits rows and fields are written; empty: everything",
        ),
    ),
    keys={"Name": "Name", "Publication": "Name"},
    client_wide="A publication writes rows of many outlets.",
    every_outlet=True,
    readers=ADMINS,
    before_save=_checked,
)
