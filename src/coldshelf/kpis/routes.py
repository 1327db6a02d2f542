"""`action=differences` of Reprocessing: what would change in each picture, and in all of them together."""

import orjson
from fastapi import Response

from coldshelf.access.principal import Principal
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.kpis.service import summarise_candidates
from coldshelf.records.errors import PageInvalid
from coldshelf.records.handlers import Extra, ExtraRead, list_answer
from coldshelf.records.listing import BATCH
from coldshelf.records.registry import Registry

LIST_PARAMETERS = ("start", "limit", "sort", "dir", "filters", "AssetPurityId")


def difference_actions(registry: Registry) -> Extra:
    """Give the action `differences` of Reprocessing."""
    pictures = registry.datasets["ReprocessingPicture"]

    async def differences(run: Runtime, principal: Principal, params: Params) -> Response:
        run_id = params.integer("id")
        if run_id is None:
            raise InputInvalid("id is required: the ReprocessingId")
        if params.integer("limit", default=0) > BATCH:
            raise PageInvalid(f"limit is {params.text('limit')}; at most {BATCH} records fit one page of differences")
        async with run.database.scope(principal.client, readonly=True) as connection:
            totals = await summarise_candidates(connection, run_id)
        wanted = [(name, params.text(name)) for name in LIST_PARAMETERS if params.text(name)]
        answer = await list_answer(run, principal, pictures, Params([("ReprocessingId", str(run_id)), *wanted]))
        page = orjson.loads(answer.body)
        for record in page["records"]:
            for name in ("Differences", "KpiDifferences"):
                record[name] = orjson.loads(record[name] or "[]")
        return Response(orjson.dumps({**page, "totals": totals}), media_type="application/json")

    taken = {"id": "The run", **dict.fromkeys(LIST_PARAMETERS, "As in lists of ReprocessingPicture")}
    return {"differences": ExtraRead(differences, taken, readers=pictures.readers, every_outlet=True)}
