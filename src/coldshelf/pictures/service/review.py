"""Decisions on pictures that wait for review; every one is noted with who, when, from what to what, and why.

Approving starts the pipeline once: it publishes `picture.prepared`, or leaves that to the preparation still to come.
A decision can be taken back until a step of the pipeline has acted on it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from coldshelf.access.models import Client
from coldshelf.access.principal import Permission, Principal
from coldshelf.access.service import client_of_scope
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.kit.events import EventType
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.masterdata import service as masterdata
from coldshelf.pictures import events, store
from coldshelf.pictures.errors import AssetMissing, AssetNotFound, DecisionStands, PictureDecided, PictureNotFound
from coldshelf.pictures.imaging.capture_time import CaptureTimeSource, retold
from coldshelf.pictures.models import Outcome, PastReview, Reviewable, Status
from coldshelf.pictures.outcomes import Facts, decide
from coldshelf.pictures.request import read_upload_request
from coldshelf.pictures.scenes import SCENES, Scene, scene_named
from coldshelf.pictures.schemas import MOST_DECIDED
from coldshelf.pictures.target import Target, find_target
from coldshelf.records.selecting import sees_outlet

LONGEST_REASON = 2000
REJECTED_BY_TABLE = "The outcome table rejects the corrected picture"


class Decision(StrEnum):
    """What a reviewer can do."""

    APPROVE = "approve"
    REJECT = "reject"
    REOPEN = "reopen"

    @property
    def past(self) -> str:
        """Give the word under which it is noted."""
        return {"approve": "Approved", "reject": "Rejected", "reopen": store.REOPENED}[self.value]


@dataclass(frozen=True, slots=True)
class Correction:
    """What the reviewer knows better than the upload; empty leaves it."""

    serial_number: str = ""
    asset_id: int | None = None
    store_number: str = ""
    scene_type: str = ""

    @property
    def is_of_place(self) -> bool:
        return bool(self.serial_number or self.asset_id is not None or self.store_number)

    @property
    def is_empty(self) -> bool:
        return not (self.is_of_place or self.scene_type)


@dataclass(frozen=True, slots=True)
class Review:
    """A reviewer's wish; raises InputInvalid when it contradicts itself."""

    decision: Decision
    reason: str = ""
    correction: Correction = field(default_factory=Correction)

    def __post_init__(self) -> None:
        if self.decision is Decision.REJECT and not self.reason:
            raise InputInvalid("reason is required to reject a picture.")
        if len(self.reason) > LONGEST_REASON:
            raise InputInvalid(f"reason takes at most {LONGEST_REASON:,} characters, not {len(self.reason):,}.")
        if self.decision is not Decision.APPROVE and not self.correction.is_empty:
            raise InputInvalid(f"A correction goes with approve, not with {self.decision}.")


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of one picture of a request: the picture as it is now, or why nothing was done.

    `repeated`: the same reviewer had decided the same before.
    """

    picture_id: int
    picture: Reviewable | None = None
    error: ColdshelfError | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a reviewer works: one transaction of one client."""

    run: Runtime
    connection: Connection
    principal: Principal
    client: Client


@dataclass(frozen=True, slots=True)
class Corrected:
    """A picture's place and scene after the correction, and the columns that change with them."""

    asset: masterdata.Asset | None
    scene: Scene | None
    values: dict[str, Any]  # column to value


async def open_desk(run: Runtime, connection: Connection, principal: Principal) -> Desk:
    """Let a reviewer begin in this transaction."""
    principal.require_permission(Permission.REVIEW)
    return Desk(run, connection, principal, await client_of_scope(connection, principal.client))


async def decide_many(desk: Desk, picture_ids: Sequence[int], review: Review) -> list[Decided]:
    """Decide on pictures one by one; a picture that cannot be decided on stops no other."""
    if len(picture_ids) > MOST_DECIDED:
        raise InputInvalid(
            f"{len(picture_ids):,} pictures are meant; one request decides on at most {MOST_DECIDED:,}.",
            cure="Narrow the filters.",
        )
    # In the order of ids: two reviewers with the same list must not wait for each other in a circle.
    found = {picture_id: await _decide_safely(desk, picture_id, review) for picture_id in sorted(set(picture_ids))}
    return [found[picture_id] for picture_id in dict.fromkeys(picture_ids)]


async def _decide_safely(desk: Desk, picture_id: int, review: Review) -> Decided:
    try:
        async with desk.connection.transaction():
            return await decide_one(desk, picture_id, review)
    except ColdshelfError as error:
        return Decided(picture_id, error=error)


async def decide_one(desk: Desk, picture_id: int, review: Review) -> Decided:
    """Decide on one picture; raise PictureNotFound, PictureDecided, DecisionStands or what an upload raises."""
    before = await store.lock_reviewable(desk.connection, picture_id)
    if before is None or not await sees_outlet(desk.connection, desk.principal, before.location_id):
        raise PictureNotFound(f"There is no AssetPurity with id {picture_id}")
    past = await store.newest_review(desk.connection, picture_id)
    if review.decision is Decision.REOPEN:
        return await _reopen(desk, before, past, review)
    if before.status_id != Status.UNPROVISIONED:
        _check_repeated(desk.principal, before, past, review.decision)
        return Decided(picture_id, before, repeated=True)
    if review.decision is Decision.REJECT:
        return Decided(picture_id, await _reject(desk, before, {}, review.reason, review.reason))
    return Decided(picture_id, await _approve(desk, before, review))


def _check_repeated(principal: Principal, before: Reviewable, past: PastReview | None, decision: Decision) -> None:
    """Pass the same decision of the same reviewer; tell anybody else that it is decided."""
    if past is None or past.decision == store.REOPENED:
        raise PictureDecided(f"AssetPurity {before.id} does not wait for review: it is {before.image_status}")
    if past.decision != decision.past or past.created_by_user_id != principal.user_id:
        raise PictureDecided(
            f"AssetPurity {before.id} was {past.decision.lower()} by {past.created_by_user}"
            f" on {past.created_on:%Y-%m-%d %H:%M:%S} UTC"
        )


async def _approve(desk: Desk, before: Reviewable, review: Review) -> Reviewable:
    corrected = await _correct(desk, before, review.correction)
    scene, asset = corrected.scene, corrected.asset
    if scene is not None and scene.needs_asset and asset is None:
        raise AssetMissing(f"AssetPurity {before.id} shows {scene.name} and has no asset")
    reason = _rejected_anew(desk.client, corrected, review.correction)
    if reason:
        return await _reject(desk, before, corrected.values, reason, review.reason or REJECTED_BY_TABLE)
    starts = scene is not None and scene.is_analysed and before.prepared_on is not None
    values = {
        **corrected.values,
        "status_id": Status.QUEUED if starts else Status.PROVISIONED,
        "submission_outcome": Outcome.PROVISIONED.value,
        "rejection_reason": None,
        **_signature(desk),
    }
    after = await store.decide(desk.connection, before, values, decision=Decision.APPROVE.past, reason=review.reason)
    await _publish(desk, before, events.APPROVED, *((events.PREPARED,) if starts else ()))
    return after


def _rejected_anew(client: Client, corrected: Corrected, correction: Correction) -> str | None:
    """Apply the outcome table to a corrected picture: what it would leave to a reviewer, this one has decided."""
    if correction.is_empty:
        return None
    facts = Facts(
        scene=corrected.scene,
        is_empty=False,
        has_asset=corrected.asset is not None,
        has_planogram=corrected.asset is not None and corrected.asset.planogram_name is not None,
        demands_planogram=client.demands_planogram,
        reviews_by_hand=client.reviews_by_hand,
        is_in_future=False,
    )
    verdict = decide(facts)
    return verdict.reason if verdict.outcome is Outcome.REJECTED else None


async def _reject(
    desk: Desk, before: Reviewable, corrected: dict[str, Any], rejection_reason: str, reason: str
) -> Reviewable:
    values = {
        **corrected,
        "status_id": Status.REJECTED,
        "submission_outcome": Outcome.REJECTED.value,
        "rejection_reason": rejection_reason,
        **_signature(desk),
    }
    after = await store.decide(desk.connection, before, values, decision=Decision.REJECT.past, reason=reason)
    await _publish(desk, before, events.REJECTED)
    return after


async def _reopen(desk: Desk, before: Reviewable, past: PastReview | None, review: Review) -> Decided:
    if before.status_id == Status.UNPROVISIONED:
        return Decided(before.id, before, repeated=True)
    if past is None or past.decision == store.REOPENED:
        raise DecisionStands(f"AssetPurity {before.id} was not decided by a reviewer: it is {before.image_status}")
    by_machine = before.status_id == Status.REJECTED and past.to_status_id != Status.REJECTED
    if by_machine:
        raise DecisionStands(f"AssetPurity {before.id} was rejected after its approval: {before.rejection_reason}")
    is_untouched = await desk.run.events.withdraw(desk.connection, events.PREPARED, events.DATASET, before.id)
    if before.status_id == Status.PROCESSED or not is_untouched:
        raise DecisionStands(f"AssetPurity {before.id} has a result already, which may have been read")
    after = await store.reopen(desk.connection, before, past.before_image, review.reason)
    await _publish(desk, before, events.PENDING)
    return Decided(before.id, after)


async def _correct(desk: Desk, before: Reviewable, correction: Correction) -> Corrected:
    scene = scene_named(correction.scene_type or before.scene_type)
    values: dict[str, Any] = {}  # column to value
    if correction.scene_type:
        if scene is None:
            known = ", ".join(one.name for one in SCENES)
            raise InputInvalid(f"SceneType takes {known}, not {correction.scene_type[:60]!r}.")
        values["scene_type"] = scene.name
    if correction.is_of_place:
        target = await _find_target(desk, before, correction)
        return Corrected(target.asset, scene, values | _place_columns(desk, before, target))
    asset = None
    if before.asset_id is not None:
        asset = await masterdata.asset_by_id(desk.connection, before.asset_id)
    if asset is not None and before.planogram_id is None and asset.planogram_name is not None:
        values |= {"planogram_id": asset.planogram_id, "planogram_name": asset.planogram_name}
    return Corrected(asset, scene, values)


async def _find_target(desk: Desk, before: Reviewable, correction: Correction) -> Target:
    """Find the corrected cooler with the checks of an upload (contract 2.1)."""
    serial_number = correction.serial_number
    if correction.asset_id is not None:
        asset = await masterdata.asset_by_id(desk.connection, correction.asset_id)
        if asset is None or serial_number.lower() not in {"", asset.serial_number.lower()}:
            raise AssetNotFound(str(correction.asset_id))
        serial_number = asset.serial_number
    said = {
        "SerialNumber": serial_number,
        "StoreNumber": correction.store_number or before.store_number or "",
        "SceneType": correction.scene_type or before.scene_type,
    }
    return await find_target(desk.connection, desk.principal, read_upload_request(Params(said.items())))


def _place_columns(desk: Desk, before: Reviewable, target: Target) -> dict[str, Any]:
    zone = (target.outlet and target.outlet.time_zone) or desk.client.time_zone
    source = CaptureTimeSource(before.capture_time_source)
    at, local = retold(before.captured_on, before.captured_local, source, zone=zone)
    return {**asdict(target.placement), "captured_on": at, "captured_local": local}


def _signature(desk: Desk) -> dict[str, Any]:
    return {"reviewer": desk.principal.user_name, "verified_on": desk.run.clock.now()}


async def _publish(desk: Desk, before: Reviewable, *kinds: EventType) -> None:
    picture = await store.load_picture(desk.connection, before.id)
    if picture is None:
        raise PictureNotFound
    for kind in kinds:
        await desk.run.events.publish(desk.connection, events.picture_event(kind, desk.client.id, picture))


async def ids_of(connection: Connection, guids: Sequence[Any]) -> dict[Any, int]:
    """Give the ids of the pictures that the GUIDs name; what is not there is left out."""
    return await store.picture_ids(connection, guids)
