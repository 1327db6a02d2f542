"""Planograms and their places (contract 5.1, Planogram). Once used for a picture, a planogram does not change."""

import json
from decimal import Decimal
from typing import Any

from coldshelf.kit.db import Connection
from coldshelf.masterdata import store
from coldshelf.masterdata.errors import PlanogramInUse
from coldshelf.records.dataset import Column
from coldshelf.records.entity import Entity, Field, Reference, Values
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.fields import FieldType

MOST_SHELVES = 50
MOST_PLACES = 50
FROZEN = ("facing_details", "asset_type_id")


def planned_rows(text: str) -> list[list[tuple[int, int]]]:
    """Read FacingDetails: for each shelf from the top the (product id, stack size) of each place from the left.

    Raises FieldInvalid naming the shelf and the place.
    """
    shelves = json.loads(text)
    if not isinstance(shelves, list) or len(shelves) > MOST_SHELVES:
        raise FieldInvalid(f"FacingDetails takes a list of at most {MOST_SHELVES} shelves")
    return [_planned_row(number, shelf) for number, shelf in enumerate(shelves, 1)]


def _planned_row(number: int, shelf: object) -> list[tuple[int, int]]:
    products = shelf.get("products") if isinstance(shelf, dict) else None
    if not isinstance(products, list) or len(products) > MOST_PLACES:
        raise FieldInvalid(f'FacingDetails, shelf {number}: takes {{"products": […]}} with at most {MOST_PLACES} places')
    return [_planned_place(number, place, product) for place, product in enumerate(products, 1)]


def _planned_place(shelf: int, place: int, product: object) -> tuple[int, int]:
    product_id = product.get("id") if isinstance(product, dict) else None
    stack = product.get("stackSize", 1) if isinstance(product, dict) else None
    if not isinstance(product_id, int) or not isinstance(stack, int) or not 1 <= stack <= 5:
        raise FieldInvalid(
            f'FacingDetails, shelf {shelf}, place {place}: takes {{"id": product id}}, stackSize from 1 to 5'
        )
    return product_id, stack


async def _check_places(connection: Connection, values: Values, before: Values | None) -> dict[str, Any]:
    # values have the types of their columns
    changed = dict(values)
    if before and before["used_on"] and any(name in values and values[name] != before[name] for name in FROZEN):
        raise PlanogramInUse(f"Planogram {before['name']!r} was used for a picture and does not change any more")
    if changed.get("facing_details") is not None:
        rows = planned_rows(changed["facing_details"])
        wanted = {product_id for row in rows for product_id, _ in row}
        missing = wanted - await store.existing_products(connection, wanted)
        if missing:
            raise FieldInvalid(f"FacingDetails: there is no product with id {min(missing)}")
        changed |= {"shelves": len(rows), "facings": sum(len(row) for row in rows)}
    elif "facing_details" in changed:
        changed |= {"facing_details": "[]", "shelves": 0, "facings": 0}
    return changed


async def _write_places(connection: Connection, planogram_id: int, values: Values) -> None:
    if "facing_details" in values:
        await store.replace_places(connection, planogram_id, planned_rows(values["facing_details"]))


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
            meaning='One element a shelf from the top: [{"products": [{"id": ProductId, "stackSize": 1}, …]}, …]',
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
    ),
    keys={
        "ExternalPlanogramCode": "ExternalPlanogramCode",
        "PlanogramCode": "ExternalPlanogramCode",
        "PlanogramName": "PlanogramName",
        "Name": "PlanogramName",
    },
    client_wide="Planograms are the same for every outlet.",
    extra_columns=(
        _number("Shelves", "Shelves in the planogram"),
        _number("Facings", "Places in the planogram"),
        Column(wire="UsedOn", type=FieldType.TIMESTAMP, unit="UTC", meaning="First use; frozen from then on"),
    ),
    before_save=_check_places,
    after_save=_write_places,
)
