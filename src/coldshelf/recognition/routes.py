"""Recognition JSON of an image (contract 4.1), as `action=GetFacings` of AssetPurity."""

import orjson
from fastapi import Response

from coldshelf.access.principal import PEOPLE, Principal
from coldshelf.kit.errors import InputInvalid, NotAllowed
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.recognition.service import served_result
from coldshelf.recognition.wire import recognition_json
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.handlers import ExtraAction


async def get_facings(run: Runtime, principal: Principal, params: Params) -> Response:
    """Answer the served result of one image."""
    principal.require(PEOPLE)
    if principal.client_id is None:
        raise NotAllowed("An operator account belongs to no client.")
    picture_id = params.integer("AssetPurityId")
    if picture_id is None:
        raise InputInvalid("AssetPurityId is required")
    async with run.database.scope(principal.client_id, readonly=True) as connection:
        result = await served_result(connection, picture_id)
    if result is None:
        raise RecordNotFound(f"There is no result for AssetPurityId {picture_id}")
    shelves = [int(shelf["shelf"]) for shelf in orjson.loads(result.shelves)]
    return Response(orjson.dumps(recognition_json(result.rows, shelves)), media_type="application/json")


ACTIONS: dict[str, ExtraAction] = {"getfacings": get_facings}
