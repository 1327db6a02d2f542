"""The reply of the planogram matching of Azure AI Vision (Product Recognition, retired on 31 March 2025). Pure.

https://learn.microsoft.com/en-us/azure/ai-services/computer-vision/how-to/shelf-planogram and the REST reference
"Planogram Compliance - Match", 2023-04-01-preview. The guide says `matchedResultsPerPosition` and
`classifications` with `label`, the reference `matchingResultPerPosition` and `tags` with `name`, for the same things:
both are written, so that a client of either reads the document. One entry for each planned position; what stands there
is a product or a gap, and an entry without `detectedObject` has neither.
"""

from collections.abc import Mapping
from typing import Any

from coldshelf.compliance.comparing import Plan
from coldshelf.compliance.matching import Planned
from coldshelf.recognition.models import Row

Json = dict[str, Any]  # a JSON document
GAP, PRODUCT = "gap", "product"
"""The tags of the service's own model, which names no products: ours for gaps and for unknown products."""


def azure_json(standing: Mapping[Planned, Row], plan: Plan) -> Json:
    """Write the reply; `standing` is the row at each planned place. Position ids are `shelf-position`, from 1."""
    entries = [_entry(place, standing.get(place)) for place in plan.places]
    return {"matchedResultsPerPosition": entries, "matchingResultPerPosition": entries}


def _entry(place: Planned, row: Row | None) -> Json:
    entry: Json = {"positionId": f"{place.shelf}-{place.position}"}
    if row is not None:
        entry["detectedObject"] = _object(row)
    return entry


def _object(row: Row) -> Json:
    name = GAP if row.is_empty else PRODUCT if row.is_unknown else row.sku
    # A gap has no confidence of its own here, and the shape wants one.
    confidence = 1.0 if row.confidence is None else round(row.confidence / 100, 4)
    return {
        "id": str(row.id),
        "boundingBox": _box(row),
        "tags": [{"name": name, "confidence": confidence}],
        "classifications": [{"confidence": confidence, "label": name}],
    }


def _box(row: Row) -> Json:
    """Give the upright box around the corners, in whole pixels."""
    across, down = [x for x, _ in row.corners], [y for _, y in row.corners]
    left, top = round(min(across)), round(min(down))
    return {"x": left, "y": top, "w": round(max(across)) - left, "h": round(max(down)) - top}
