"""The comparison of an image as JSON: what stands at each place, and what it should be. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coldshelf.compliance.comparing import Comparison, Plan, found_of
from coldshelf.compliance.matching import MatchStatus
from coldshelf.compliance.priorogram import listed_products, weighted_availability
from coldshelf.masterdata.models import PlanogramUse
from coldshelf.recognition.models import Row

Json = dict[str, Any]  # a JSON document


@dataclass(frozen=True, slots=True)
class ProductName:
    """What a product is called."""

    sku: str
    name: str


Names = Mapping[int, ProductName]


def compliance_json(comparisons: Sequence[Comparison], rows: Sequence[Row], plan: Plan, names: Names) -> Json:
    """Write every match in the order of the places, and how many there are of each status.

    `names` are those of the planned products. A Priorogram has its products as well, and how much of it is available.
    """
    counts = Counter(item.match.status for item in comparisons)
    document: Json = {
        "PlanogramUse": plan.use.value,
        "PlanogramFacings": len(plan.places),
        "Counts": {status.value: counts[status] for status in MatchStatus},
        "Positions": [_position(item, names) for item in comparisons],
    }
    if plan.use is PlanogramUse.PRIORITY:
        document |= _priorities(rows, plan, names)
    return document


def _position(item: Comparison, names: Names) -> Json:
    shelf, position = item.place
    planned = item.match.planned
    return {
        "Shelf": shelf,
        "Position": position,
        "Status": item.match.status.value,
        "IsCompliant": item.match.is_compliant,
        "IsDoubtful": item.match.is_doubtful,
        "Planned": _named(planned.product_id, names) if planned else None,
        "Found": _found(item.row) if item.row else None,
    }


def _named(product_id: int, names: Names) -> Json:
    name = names.get(product_id, ProductName("", ""))
    return {"ProductId": product_id, "SKU": name.sku, "Product": name.name}


def _found(row: Row) -> Json:
    return {
        "AssetPurityProductId": row.id,
        "ProductId": row.product_id,
        "SKU": row.sku,
        "Product": row.product_name,
        "Shelf": row.shelf,
        "Position": row.position,
        "Door": row.door,
        "Confidence": row.confidence,
    }


def _priorities(rows: Sequence[Row], plan: Plan, names: Names) -> Json:
    products = listed_products(found_of(rows), plan.places)
    availability = weighted_availability(products)
    return {
        "Availability": None if availability is None else round(availability, 2),
        "Products": [
            {
                **_named(product.product_id, names),
                "Priority": product.priority,
                "WantedFacings": product.wanted,
                "FoundFacings": product.found,
                "IsAvailable": product.is_available,
            }
            for product in products
        ],
    }
