"""Planograms and their places (contract 5.1, Planogram). Once used for a picture, a planogram does not change."""

from decimal import Decimal
from typing import Any, TypeGuard

from coldshelf.access.principal import PLANNERS, Permission
from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.masterdata.errors import PlanogramInUse
from coldshelf.masterdata.models import PlanogramUse
from coldshelf.masterdata.naming import named_by
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType, read_json

MOST_SHELVES = 50
MOST_PLACES = 50
MOST_STACKED = 5
STAYS_FREE = frozenset({"external_code", "start_date"})
"""What may still be set on a used planogram: how other systems call it, and when it starts to hold."""


def planned_rows(text: str) -> list[list[tuple[int, int]]]:
    """Read FacingDetails: for each shelf from the top the (product id, stack size) of each place from the left.

    Raises FieldInvalid naming the shelf and the place.
    """
    shelves = read_json(text)
    if not isinstance(shelves, list) or len(shelves) > MOST_SHELVES:
        raise FieldInvalid(f"FacingDetails takes a list of at most {MOST_SHELVES} shelves")
    return [_planned_row(number, shelf) for number, shelf in enumerate(shelves, 1)]


def _planned_row(number: int, shelf: object) -> list[tuple[int, int]]:
    products = shelf.get("products") if isinstance(shelf, dict) else None
    if not isinstance(products, list) or len(products) > MOST_PLACES:
        raise FieldInvalid(
            f'FacingDetails, shelf {number}: takes {{"products": […]}} with at most {MOST_PLACES} places'
        )
    return [_planned_place(number, place, product) for place, product in enumerate(products, 1)]


def _planned_place(shelf: int, place: int, product: object) -> tuple[int, int]:
    product_id = product.get("id") if isinstance(product, dict) else None
    stack = product.get("stackSize", 1) if isinstance(product, dict) else None
    if not _is_whole(product_id, 2**63 - 1) or not _is_whole(stack, MOST_STACKED):
        raise FieldInvalid(
            f'FacingDetails, shelf {shelf}, place {place}: takes {{"id": product id}},'
            f" stackSize from 1 to {MOST_STACKED}"
        )
    return product_id, stack


def _is_whole(value: object, most: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _check_priorities(rows: list[list[tuple[int, int]]]) -> None:
    """Raise FieldInvalid for a product that has two priorities; several facings of it stand in one element."""
    priority_of: dict[int, int] = {}
    for priority, row in enumerate(rows, 1):
        for product_id, _ in row:
            if priority_of.setdefault(product_id, priority) != priority:
                raise FieldInvalid(
                    f"FacingDetails: product {product_id} has the priorities {priority_of[product_id]} and {priority};"
                    " it takes one, with an entry for each wanted facing"
                )


async def _check_places(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    # values have the types of their columns
    changed = dict(values)
    if changed.get("facing_details") is not None:
        rows = planned_rows(changed["facing_details"])
        if before and rows == planned_rows(before["facing_details"]):
            del changed["facing_details"]  # the same places in other words: their rows stay
        else:
            await _check_products(connection, rows)
            changed |= {"shelves": len(rows), "facings": sum(len(row) for row in rows)}
    elif "facing_details" in changed:
        changed |= {"shelves": None, "facings": None}
    held = {**(before or {}), **changed}
    if held.get("planogram_use") == PlanogramUse.PRIORITY:
        _check_priorities(planned_rows(held.get("facing_details") or "[]"))
    if before and before["used_on"] and any(_differs(name, changed, before) for name in changed.keys() - STAYS_FREE):
        raise PlanogramInUse(f"Planogram {before['name']!r} was used for a picture and does not change any more")
    return changed


def _differs(name: str, changed: Values, before: Values) -> bool:
    return bool(changed[name] != before[name])


async def _check_products(connection: Connection, rows: list[list[tuple[int, int]]]) -> None:
    wanted = {product_id for row in rows for product_id, _ in row}
    missing = wanted - await store.existing_products(connection, wanted)
    if missing:
        raise FieldInvalid(f"FacingDetails: there is no product with id {min(missing)}")


async def _write_places(connection: Connection, planogram_id: int, values: Values, _before: Values | None) -> None:
    if "facing_details" in values:
        await store.replace_places(connection, planogram_id, planned_rows(values["facing_details"] or "[]"))


def _number(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.INTEGER, meaning=meaning)


PLANOGRAM = Entity(
    name="Planogram",
    table="planogram",
    meaning="Which product belongs where",
    fields=(
        Field(
            wire="PlanogramName",
            column="name",
            aliases=("Name",),
            required=True,
            unique=True,
            max_length=200,
            meaning="Unique name",
        ),
        Field(
            wire="ExternalPlanogramCode",
            column="external_code",
            unique=True,
            max_length=200,
            meaning="Key in your own system",
        ),
        Field(wire="Version", type=FieldType.INTEGER, minimum=Decimal(1), meaning="Version"),
        Field(
            wire="FacingDetails",
            type=FieldType.JSON,
            parquet=None,
            meaning='One element a shelf from the top: [{"products": [{"id": ProductId, "stackSize": 1}, …]}, …];'
            " with PlanogramUse Priority one element a priority, the highest first",
        ),
        Field(
            wire="PlanogramUse",
            choices=tuple(PlanogramUse),
            meaning="Layout (product by place), Category (any product of the same category), Priority (Priorogram)",
        ),
        Field(wire="StartDate", type=FieldType.DATE, meaning="Valid from"),
    ),
    references=(
        Reference(
            wire="AssetTypeId",
            to="AssetType",
            by={"AssetTypeName": "Name", "AssetType": "Name"},
            shows={"AssetTypeName": "name"},
            meaning="Model that it is made for",
        ),
        Reference(
            wire="ReplenishModelId",
            to="ReplenishModel",
            by=named_by("ReplenishModel", "ReplenishModel", "ReplenishModelName"),
            shows={"ReplenishModel": "name"},
            meaning="Model by which it is replenished",
        ),
    ),
    keys={
        "ExternalPlanogramCode": "ExternalPlanogramCode",
        "PlanogramCode": "ExternalPlanogramCode",
        "PlanogramName": "PlanogramName",
        "Name": "PlanogramName",
    },
    writers=PLANNERS,
    permission=Permission.PLANOGRAM_EDIT,
    client_wide="Planograms are the same for every outlet.",
    extra_columns=(
        _number("Shelves", "Shelves in the planogram, or priorities"),
        _number("Facings", "Places in the planogram, or facings wanted"),
        Column(wire="UsedOn", type=FieldType.TIMESTAMP, unit="UTC", meaning="First use; frozen from then on"),
    ),
    before_save=_check_places,
    after_save=_write_places,
)
