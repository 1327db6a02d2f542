"""The recognition JSON (contract 4.1): `action=GetFacings` of AssetPurity; and the actions of Reprocessing."""

import orjson
from fastapi import Response

from coldshelf.access.principal import ADMINS, Permission, Principal
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.recognition.errors import ReprocessingNotFound
from coldshelf.recognition.service import (
    Decision,
    Selection,
    accept_candidates,
    discard_candidates,
    served_json,
    start_reprocessing,
)
from coldshelf.records.dataset import Dataset
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.handlers import Change, Extra, ExtraRead, ExtraWrite, list_answer, refused
from coldshelf.records.listing import read_conditions
from coldshelf.records.registry import Registry

LONGEST_ID = 19


async def get_facings(run: Runtime, principal: Principal, params: Params) -> Response:
    """Answer the served result of one image."""
    picture_id = params.integer("AssetPurityId")
    if picture_id is None:
        raise InputInvalid("AssetPurityId is required")
    async with run.database.scope(principal.client, readonly=True) as connection:
        found = await served_json(connection, picture_id)
    if found is None:
        raise RecordNotFound(f"There is no result for AssetPurityId {picture_id}")
    return Response(orjson.dumps(found), media_type="application/json")


ACTIONS: Extra = {"getfacings": ExtraRead(get_facings, {"AssetPurityId": "The image record"}, row="AssetPurityId")}

WHICH = {
    "AssetPurityId": "Only these image records, separated by commas",
    "onlyDiffering": "true: only candidates whose facings differ from what is served",
}


def reprocessing_actions(registry: Registry) -> Extra:
    """Give the actions of Reprocessing beside `list`: start, load, apply, discard."""
    dataset = registry.datasets["AssetPurity"]

    async def start(change: Change) -> Response:
        run_id = await start_reprocessing(
            change.run,
            change.connection,
            dataset,
            change.principal,
            recogniser=change.params.text("recogniser"),
            chosen=read_selection(dataset, change.params),
        )
        return _done(id=run_id)

    async def load(run: Runtime, principal: Principal, params: Params) -> Response:
        wanted = Params([("ReprocessingId", params.text("id") or "0"), ("includeDeleted", "true")])
        answer = await list_answer(run, principal, registry.datasets["Reprocessing"], wanted)
        records = orjson.loads(answer.body)["records"]
        if not records:
            return refused(ReprocessingNotFound(f"There is no Reprocessing with id {params.text('id')}"))
        return _done(id=records[0]["ReprocessingId"], data=records[0])

    starting = {
        "recogniser": "Recogniser that looks again; unless sent, the one that workers use",
        "AssetPurityId": "Only these image records, separated by commas",
        "all": "true: every processed picture",
        **{name: f"Only pictures with this {name}" for name in dataset.plain_filters if name != "AssetPurityId"},
    }
    return {
        "start": ExtraWrite(start, ADMINS, starting, permission=Permission.REPROCESS, every_outlet=True),
        "load": ExtraRead(load, {"id": "The run"}, readers=ADMINS),
        "apply": ExtraWrite(apply, ADMINS, WHICH, permission=Permission.REPROCESS, every_outlet=True),
        "discard": ExtraWrite(discard, ADMINS, WHICH, permission=Permission.REPROCESS, every_outlet=True),
    }


def read_selection(dataset: Dataset, params: Params) -> Selection:
    """Read which pictures are meant, as lists of the dataset AssetPurity do; `all=true` means every processed one."""
    everything = params.boolean("all", default=False)
    said = [f"{name}={params.text(name)}" for name in (*dataset.plain_filters, "filters") if params.text(name)]
    return Selection(tuple(read_conditions(dataset, params)), everything, "all" if everything else "; ".join(said))


async def apply(change: Change) -> Response:
    """Answer `action=apply`: the candidates are served by the workers from now on."""
    run_id = change.params.integer("id", default=0)
    wanted = (change.principal.client, run_id, _decision(change.params))
    return _done(id=run_id, accepted=await accept_candidates(change.run, change.connection, *wanted))


async def discard(change: Change) -> Response:
    """Answer `action=discard`."""
    run_id = change.params.integer("id", default=0)
    return _done(id=run_id, discarded=await discard_candidates(change.connection, run_id, _decision(change.params)))


def _decision(params: Params) -> Decision:
    texts = [text.strip() for text in params.text("AssetPurityId").split(",") if text.strip()]
    if not all(text.isdecimal() and len(text) < LONGEST_ID for text in texts):
        raise InputInvalid("AssetPurityId takes whole numbers, separated by commas")
    return Decision([int(text) for text in texts] or None, params.boolean("onlyDiffering", default=False))


def _done(**values: object) -> Response:
    return Response(orjson.dumps({"success": True, **values}), media_type="application/json")
