"""Copies of planograms: how one that was used for a picture is changed all the same (contract 5.1)."""

import re
from typing import Any

from coldshelf.access.principal import Permission, Principal
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.web.params import Params
from coldshelf.masterdata import store
from coldshelf.records.entity import Entity
from coldshelf.records.errors import FieldInvalid, RecordNotFound
from coldshelf.records.registry import Registry
from coldshelf.records.saving import Saved, save_record

LONGEST_NAME = 200
NAMES_TRIED = 100
_VERSION = re.compile(r"\s+v\d+$")
_OWN = frozenset({"action", "id", "relinkassets"})
_NAMES = ("planogramname", "name")
_MODELS = ("assettypeid", "assettypename", "assettype")
_REPLENISHED = (
    "replenishmodelid",
    "replenishmodel",
    "replenishmodelname",
    "replenishmodelcode",
    "externalreplenishmodelcode",
)


async def duplicate_planogram(
    connection: Connection, registry: Registry, principal: Principal, entity: Entity, params: Params
) -> Saved:
    """Save a copy of the planogram `id` with the fields that are sent in place of its own.

    Without PlanogramName the copy is called like its source with the next free version. RelinkAssets links the active
    assets of the source to the copy, in the same transaction. The key of other systems and StartDate are not copied.

    Raises RecordNotFound, RecordExists for a name that is taken, FieldInvalid as a save does; NotAllowed where assets
    shall be linked that the principal may not plan for.
    """
    source_id = params.integer("id", default=0)
    if not source_id:
        raise InputInvalid("action=duplicate takes the id of the planogram to copy")
    source = await store.planogram_to_copy(connection, source_id)
    if source is None:
        raise RecordNotFound(f"There is no Planogram with id {source_id}")
    relink = params.boolean("RelinkAssets")
    if relink:
        principal.require_permission(Permission.PLANOGRAM_ASSIGN)
    sent = Params((name, value) for name, value in params.items() if name.lower() not in _OWN and _is_said(name, value))
    values = Params([("id", "0"), *sent.items(), *await _copied(connection, dict(source), sent)])
    saved = await save_record(connection, registry, principal, entity, values)
    if relink:
        await store.relink_assets(connection, source_id, saved.id)
    return saved


def _is_said(name: str, value: str) -> bool:
    """Tell whether a field was sent: an empty name is none, other fields may be emptied."""
    return bool(value.strip()) or name.lower() not in _NAMES


async def _copied(
    connection: Connection,
    source: dict[str, Any],  # values have the types of their columns
    sent: Params,
) -> list[tuple[str, str]]:
    """Give the fields of the source that were not sent, as a caller would send them."""
    version, name = source["version"] + 1, ""
    if not any(key in sent for key in _NAMES):
        version, name = await _next_version(connection, source["name"], source["version"])
    fields = {
        "PlanogramName": name,
        "Version": str(version),
        "PlanogramUse": source["planogram_use"],
        "FacingDetails": source["facing_details"],
    }
    if source["replenish_model_id"] and not any(key in sent for key in _REPLENISHED):
        fields["ReplenishModelId"] = str(source["replenish_model_id"])
    if source["asset_type_id"] and not any(key in sent for key in _MODELS):
        fields["AssetTypeId"] = str(source["asset_type_id"])
    return [(key, value) for key, value in fields.items() if value and key not in sent]


async def _next_version(connection: Connection, name: str, version: int) -> tuple[int, str]:
    """Give the next version whose name is free: `Summer` and `Summer v2` become `Summer v3`."""
    stem = _VERSION.sub("", name)
    names = {n: f"{stem[: LONGEST_NAME - 8]} v{n}" for n in range(version + 1, version + 1 + NAMES_TRIED)}
    taken = await store.taken_names(connection, list(names.values()))
    for number, wanted in names.items():
        if wanted.lower() not in taken:
            return number, wanted
    raise FieldInvalid(f"The next {NAMES_TRIED} versions of {stem!r} exist already; send PlanogramName")
