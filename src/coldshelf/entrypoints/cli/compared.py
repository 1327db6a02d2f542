"""What stands in a picture held against a planogram, as the documents that the server gives."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from coldshelf.compliance.azure_shape import azure_json
from coldshelf.compliance.comparing import Plan, compare_rows, standing_rows
from coldshelf.compliance.matching import Planned
from coldshelf.compliance.wire import Names, ProductName, compliance_json
from coldshelf.recognition.models import Row
from coldshelf.recognition.recogniser import CatalogueProduct, PlannedFacing

Json = dict[str, Any]  # a JSON document


def compliance_document(
    rows: Sequence[Row], planned: Sequence[PlannedFacing], catalogue: Sequence[CatalogueProduct]
) -> Json:
    """Write what `action=GetCompliance` answers; rows are numbered from 1 in place of their ids."""
    numbered, plan = _numbered(rows), _plan(planned)
    names: Names = {int(item.product_id): ProductName(item.sku, item.name) for item in catalogue}
    return compliance_json(compare_rows(numbered, plan), numbered, plan, names)


def azure_document(
    rows: Sequence[Row], planned: Sequence[PlannedFacing], _catalogue: Sequence[CatalogueProduct]
) -> Json:
    """Write the reply of Azure AI Vision's planogram matching; rows are numbered from 1 in place of their ids."""
    plan = _plan(planned)
    return azure_json(standing_rows(_numbered(rows), plan), plan)


def _numbered(rows: Sequence[Row]) -> list[Row]:
    return [replace(row, id=number) for number, row in enumerate(rows, 1)]


def _plan(planned: Sequence[PlannedFacing]) -> Plan:
    return Plan(places=tuple(Planned(each.shelf, each.position, each.product_id) for each in planned))
