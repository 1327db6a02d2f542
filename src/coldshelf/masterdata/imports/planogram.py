"""Planograms (contract 5.3, 7 columns): rows of one name or asset make one planogram; only created."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.records.imports.declaration import (
    CellType,
    ImportColumn,
    ImportType,
    Operation,
    Part,
    Record,
    Refuse,
    Row,
)

NAME, SERIAL, SKU = "Planogram Name", "Asset Serial Number", "Product SKU"
SHELF, STACK, CODE, MODEL = "Shelf/Priority", "Product Stack Size", "External Code", "Replenish Model"
NAMES_TRIED = 100
MOST_PLACES = 50


@dataclass(slots=True)
class _Plan:
    """The rows of one planogram."""

    rows: list[Row] = field(default_factory=list)

    def said(self, column: str) -> Any:  # whatever the column holds
        return next((row.values[column] for row in self.rows if column in row.values), None)

    @property
    def row(self) -> int:
        return self.rows[0].number


async def gather(connection: Connection, rows: Sequence[Row], refuse: Refuse) -> list[Record]:
    """Make a planogram of the rows of each name or asset, and link it to the assets that they name."""
    plans: dict[str, _Plan] = {}
    for row in rows:
        key = f"name {row.values[NAME]}" if NAME in row.values else f"serial {row.values[SERIAL]}"
        plans.setdefault(key.lower(), _Plan()).rows.append(row)
    records: list[Record] = []
    taken: set[str] = {str(plan.said(NAME)).lower() for plan in plans.values()}
    for plan in plans.values():
        _check_alike(plan, refuse)
        name, version = await _named(connection, plan, taken)
        record = Record(plan.row, "planogram", _values(plan, name, version, refuse))
        records += [record, *_linked(plan, record)]
    return records


def _check_alike(plan: _Plan, refuse: Refuse) -> None:
    for column in (CODE, MODEL):
        first = plan.said(column)
        for row in plan.rows:
            value = row.values.get(column)
            if value is not None and value != first:
                message = f"Row {plan.row} says another {column} for the same planogram"
                refuse(row.number, column, str(value), message, "Repeat it or leave it out.")


def _values(plan: _Plan, name: str, version: int, refuse: Refuse) -> dict[str, Any]:  # the types of the fields
    values = {"PlanogramName": name, "Version": version, "FacingDetails": _facings(plan, refuse)}
    more = {"ExternalPlanogramCode": plan.said(CODE), "ReplenishModel": plan.said(MODEL)}
    return values | {wire: value for wire, value in more.items() if value is not None}


def _facings(plan: _Plan, refuse: Refuse) -> str:
    """Lay the products out: by shelf, then in the order of the rows."""
    shelves: list[list[dict[str, int]]] = [[] for _ in range(max(int(str(row.values[SHELF])) for row in plan.rows))]
    for row in plan.rows:
        shelf = shelves[int(str(row.values[SHELF])) - 1]
        product_id = row.ids.get(SKU)
        if product_id is not None:
            shelf.append({"id": product_id, "stackSize": int(str(row.values.get(STACK, 1)))})
        if len(shelf) == MOST_PLACES + 1:
            message = f"Shelf {row.values[SHELF]} has more than {MOST_PLACES} products"
            refuse(row.number, SHELF, str(row.values[SHELF]), message, "Use another shelf.")
    return orjson.dumps([{"products": shelf} for shelf in shelves]).decode()


async def _named(connection: Connection, plan: _Plan, taken: set[str]) -> tuple[str, int]:
    """Give the planogram's name, or make one up from its asset and the day, with the next free version."""
    said = plan.said(NAME)
    if said is not None:
        return str(said), 1
    stem = f"{str(plan.said(SERIAL))[:180]}_{datetime.now(UTC):%m-%d}"
    names = {number: f"{stem}_v{number}" for number in range(1, NAMES_TRIED + 1)}
    taken |= await store.taken_names(connection, list(names.values()))
    number = next((number for number, name in names.items() if name.lower() not in taken), NAMES_TRIED + 1)
    name = f"{stem}_v{number}"
    taken.add(name.lower())
    return name, number


def _linked(plan: _Plan, planogram: Record) -> Iterator[Record]:
    """Link the assets that the rows name, each once."""
    seen: set[int] = set()
    for row in plan.rows:
        asset_id = row.ids.get(SERIAL)
        if asset_id is not None and asset_id not in seen:
            seen.add(asset_id)
            yield Record(row.number, "asset", {}, links={"PlanogramId": planogram}, id=asset_id)


PLANOGRAMS = ImportType(
    name="Planogram",
    title="Planograms",
    main="planogram",
    gather=gather,
    one_of=(NAME, SERIAL),
    parts=(
        Part(name="planogram", entity="Planogram", keys=(("PlanogramName",),), operation=Operation.CREATE),
        Part(name="asset", entity="Asset", keys=(), operation=Operation.CHANGE),
    ),
    note="One row a product. Without a name the planogram is called [Asset Serial Number]_[MM-DD]_v[Version].",
    columns=(
        ImportColumn(
            name=MODEL, alias="ReplenishModel", sets="ReplenishModel", max_length=200, rule="must exist if given"
        ),
        ImportColumn(
            name=NAME,
            alias="PlanogramName",
            sets="PlanogramName",
            max_length=200,
            rule="unique; this or Asset Serial Number is needed",
            example="Summer 2026",
        ),
        ImportColumn(
            name=SERIAL,
            alias="AssetSerialNumber",
            refers=("Asset", "SerialNumber"),
            max_length=200,
            rule="must exist if given",
            example="SN123456789",
            note="The asset is linked to the planogram",
        ),
        ImportColumn(
            name=SKU,
            alias="ProductSKU",
            refers=("Product", "SKU"),
            required=True,
            max_length=100,
            rule="must exist",
            example="FZ-330",
        ),
        ImportColumn(
            name=SHELF,
            alias="ProductRanking",
            required=True,
            type=CellType.INTEGER,
            minimum=Decimal(1),
            maximum=Decimal(50),
            example="1",
            note="Lower is a higher priority; products of one shelf stand in the order of the rows",
        ),
        ImportColumn(
            name=STACK,
            alias="ProductStackSize",
            type=CellType.INTEGER,
            minimum=Decimal(1),
            maximum=Decimal(5),
            example="1",
            note="Facings deep; 1 unless filled in",
        ),
        ImportColumn(name=CODE, alias="ExternalPlanogramCode", sets="ExternalPlanogramCode", max_length=200),
    ),
)
