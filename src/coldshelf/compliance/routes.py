"""The comparison of an image with its planogram: `action=GetCompliance` of AssetPurity."""

from enum import StrEnum

import orjson
from fastapi import Response

from coldshelf.access.principal import Principal
from coldshelf.compliance.azure_shape import azure_json
from coldshelf.compliance.comparing import standing_rows
from coldshelf.compliance.service import compared_picture
from coldshelf.compliance.wire import compliance_json
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.handlers import Extra, ExtraRead


class Shape(StrEnum):
    """In which words a comparison is told."""

    JSON = "json"
    AZURE = "azure"


async def get_compliance(run: Runtime, principal: Principal, params: Params) -> Response:
    """Answer the comparison of the served result of one image."""
    client_id = principal.client
    picture_id = params.integer("AssetPurityId")
    if picture_id is None:
        raise InputInvalid("AssetPurityId is required")
    shape = params.text("format", Shape.JSON).lower()
    if shape not in set(Shape):
        raise InputInvalid(f"format takes {', '.join(Shape)}, not {shape[:40]!r}")
    async with run.database.scope(client_id, readonly=True) as connection:
        compared = await compared_picture(connection, picture_id)
    if compared is None:
        raise RecordNotFound(f"There is no comparison with a planogram for AssetPurityId {picture_id}")
    rows, plan = compared.result.rows, compared.plan
    if shape == Shape.AZURE:
        document = azure_json(await run.off_loop(standing_rows, rows, plan), plan)
    else:
        document = {
            "AssetPurityId": picture_id,
            "PlanogramId": compared.planogram_id,
            "ResultVersion": compared.result.number,
            **compliance_json(compared.comparisons, rows, plan, compared.names),
        }
    return Response(orjson.dumps(document), media_type="application/json")


TAKEN = {
    "AssetPurityId": "The image record",
    "format": "json (default), or azure: the reply of the planogram matching of Azure AI Vision",
}
ACTIONS: Extra = {"getcompliance": ExtraRead(get_compliance, TAKEN, row="AssetPurityId")}
