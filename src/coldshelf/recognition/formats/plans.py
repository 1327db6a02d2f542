"""A plan as JSON: a list of shelves from the top, each a list of SKUs from the left."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from coldshelf.kit.errors import InputInvalid, NotFound
from coldshelf.recognition.recogniser import CatalogueProduct, PlannedFacing

_PLAN = TypeAdapter(list[list[str]])
_CURE = 'It looks like [["cola", "cola"], ["water"]].'


def read_plan(path: Path, catalogue: Sequence[CatalogueProduct]) -> list[PlannedFacing]:
    """Read a plan; raise NotFound or InputInvalid that says the shelf and the place of what is wrong."""
    try:
        rows = _PLAN.validate_json(path.read_bytes())
    except FileNotFoundError as fault:
        raise NotFound(f"{path} is not there", cure=_CURE) from fault
    except (OSError, ValidationError) as fault:
        raise InputInvalid(f"{path} is no list of shelves, each a list of SKUs", cure=_CURE) from fault
    ids = {product.sku: product.product_id for product in catalogue}
    places = [
        (shelf, position, sku) for shelf, row in enumerate(rows, start=1) for position, sku in enumerate(row, start=1)
    ]
    for shelf, position, sku in places:
        if sku not in ids:
            raise InputInvalid(
                f"{path}: shelf {shelf}, position {position}: {sku!r} has no reference pictures",
                cure="Add a folder of pictures for it, or take it out of the plan.",
            )
    return [PlannedFacing(shelf, position, ids[sku]) for shelf, position, sku in places]
