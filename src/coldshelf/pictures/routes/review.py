"""The review of pending pictures: actions of AssetPurity, and `/api/v1/images/…/review`."""

from collections.abc import Sequence
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from coldshelf.access.principal import REVIEWERS, Permission, Principal
from coldshelf.access.web import SignedIn
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.web.params import Params
from coldshelf.kit.web.request import run_of
from coldshelf.pictures.errors import PictureNotFound
from coldshelf.pictures.models import Status
from coldshelf.pictures.openapi import REVIEW, REVIEW_MANY
from coldshelf.pictures.schemas import (
    MOST_DECIDED,
    ReviewedImage,
    ReviewOfMany,
    ReviewRefused,
    ReviewResults,
    ReviewWish,
)
from coldshelf.pictures.service.review import (
    Correction,
    Decided,
    Decision,
    Desk,
    Review,
    decide_many,
    decide_one,
    ids_of,
    open_desk,
)
from coldshelf.records.dataset import Dataset
from coldshelf.records.filters import Condition, known_column, parse_filters
from coldshelf.records.handlers import Change, Extra, ExtraWrite, answer_once, answered
from coldshelf.records.plain import read_plain
from coldshelf.records.registry import Registry
from coldshelf.records.selecting import select_ids

JSON = "application/json"
TAKEN = {
    "AssetPurityId": f"The image records, separated by commas, at most {MOST_DECIDED:,}",
    "all": "true: every picture that waits",
    "reason": "Why; required to reject",
}
CORRECTIONS = {
    "SerialNumber": "The cooler that it shows",
    "AssetId": "The same by its id",
    "StoreNumber": "The outlet, where the upload named another one",
    "SceneType": "What it shows",
}


def review_actions(registry: Registry) -> Extra:
    """Give the actions of AssetPurity for reviewers: approve, reject, reopen."""
    dataset = registry.datasets["AssetPurity"]

    def action(decision: Decision) -> ExtraWrite:
        async def write(change: Change) -> Response:
            return await _decide(change, dataset, decision)

        taken = TAKEN | (CORRECTIONS if decision is Decision.APPROVE else {})
        return ExtraWrite(write, REVIEWERS, taken, permission=Permission.REVIEW)

    return {decision.value: action(decision) for decision in Decision}


async def _decide(change: Change, dataset: Dataset, decision: Decision) -> Response:
    params = change.params
    correction = Correction(
        serial_number=params.text("SerialNumber"),
        asset_id=params.integer("AssetId"),
        store_number=params.text("StoreNumber"),
        scene_type=params.text("SceneType"),
    )
    review = Review(decision, params.text("reason"), correction)
    ids = await _chosen(change.connection, change.principal, dataset, params)
    desk = await open_desk(change.run, change.connection, change.principal)
    results = await decide_many(desk, ids, review)
    failures = [one for one in results if one.error]
    body: dict[str, object] = {"success": not failures, "decided": len(results) - len(failures)}
    if failures:
        first = failures[0].error
        body["info"] = f"{first.message if first else ''} ({len(failures)} of {len(results)} were left as they are)"
    body["results"] = [_contract_result(one) for one in results]
    return Response(orjson.dumps(body), media_type=JSON)


async def _chosen(connection: Connection, principal: Principal, dataset: Dataset, params: Params) -> list[int]:
    """Read which pictures are meant: the named ones as they are, those of a filter as long as they wait."""
    named = params.text("AssetPurityId")
    filters = params.text("filters")
    if named and not filters:
        return [int(value) for condition in _named(dataset, named) for value in condition.values]
    conditions = parse_filters(dataset, filters) if filters else []
    if named:
        conditions += _named(dataset, named)
    if not conditions and not params.boolean("all"):
        raise InputInvalid("Name the pictures: AssetPurityId, filters, or all=true for every one that waits.")
    return await _waiting(connection, principal, dataset, conditions)


def _named(dataset: Dataset, text: str) -> list[Condition]:
    return read_plain(dataset, Params([("AssetPurityId", text)]))


async def _waiting(
    connection: Connection, principal: Principal, dataset: Dataset, conditions: Sequence[Condition]
) -> list[int]:
    pending = Condition(known_column(dataset, "StatusId"), "=", (Status.UNPROVISIONED,))
    return await select_ids(connection, principal, dataset, (*conditions, pending))


def _contract_result(one: Decided) -> dict[str, object]:
    if one.picture is None:
        return {"AssetPurityId": one.picture_id, "success": False, "info": one.error.message if one.error else ""}
    picture = one.picture
    return {
        "AssetPurityId": picture.id,
        "success": True,
        "repeated": one.repeated,
        "UniqueGuid": str(picture.guid),
        "StatusId": picture.status_id,
        "ImageStatus": picture.image_status,
        "SubmissionOutcome": picture.submission_outcome,
        "RejectionReason": picture.rejection_reason,
        "AssetId": picture.asset_id,
        "SerialNumber": picture.serial_number,
        "SceneType": picture.scene_type,
    }


def review_router(registry: Registry) -> APIRouter:
    """Make the routes of the review under `/api/v1`."""
    router = APIRouter(prefix="/api/v1/images", tags=["Review"])
    dataset = registry.datasets["AssetPurity"]

    async def review(request: Request, principal: SignedIn, guid: UUID, wish: ReviewWish) -> Response:
        async def write(connection: Connection) -> Response:
            desk = await open_desk(run_of(request), connection, principal)
            found = await ids_of(connection, [guid])
            if guid not in found:
                raise PictureNotFound(f"There is no image {guid}")
            return answered(_image(await decide_one(desk, found[guid], _wished(wish))))

        return await answer_once(request, principal, wish, write)

    async def review_many(request: Request, principal: SignedIn, wish: ReviewOfMany) -> Response:
        async def write(connection: Connection) -> Response:
            desk = await open_desk(run_of(request), connection, principal)
            results = await _decide_wished(desk, dataset, wish)
            refused = sum(isinstance(one, ReviewRefused) for one in results)
            return answered(ReviewResults(decided=len(results) - refused, refused=refused, results=results))

        return await answer_once(request, principal, wish, write)

    router.add_api_route("/{guid}/review", review, methods=["POST"], response_model=ReviewedImage, **REVIEW)
    router.add_api_route("/review", review_many, methods=["POST"], response_model=ReviewResults, **REVIEW_MANY)
    return router


def _wished(wish: ReviewWish) -> Review:
    correction = Correction(
        wish.serial_number.strip(), wish.asset_id, wish.store_number.strip(), wish.scene_type.strip()
    )
    return Review(Decision(wish.decision), wish.reason.strip(), correction)


async def _decide_wished(desk: Desk, dataset: Dataset, wish: ReviewOfMany) -> list[ReviewedImage | ReviewRefused]:
    if sum(map(bool, (wish.guids, wish.filters, wish.all_pending))) != 1:
        raise InputInvalid("Name the images in one way: guids, filters or all_pending.")
    if not wish.guids:
        conditions = parse_filters(dataset, orjson.dumps(wish.filters).decode()) if wish.filters else []
        ids = await _waiting(desk.connection, desk.principal, dataset, conditions)
        return [_result(one) for one in await decide_many(desk, ids, _wished(wish))]
    found = await ids_of(desk.connection, wish.guids)
    decided = await decide_many(desk, [found[guid] for guid in wish.guids if guid in found], _wished(wish))
    results = {one.picture_id: _result(one) for one in decided}
    return [
        results[found[guid]]
        if guid in found
        else ReviewRefused(guid=guid, code=PictureNotFound.code, detail=f"There is no image {guid}")
        for guid in dict.fromkeys(wish.guids)
    ]


def _result(one: Decided) -> ReviewedImage | ReviewRefused:
    if one.error:
        return ReviewRefused(id=one.picture_id, code=one.error.code, detail=one.error.message)
    return _image(one)


def _image(one: Decided) -> ReviewedImage:
    picture = one.picture
    if picture is None:
        raise PictureNotFound
    return ReviewedImage(
        guid=picture.guid,
        id=picture.id,
        status_id=picture.status_id,
        status=picture.image_status,
        outcome=picture.submission_outcome,
        rejection_reason=picture.rejection_reason,
        asset_id=picture.asset_id,
        serial_number=picture.serial_number,
        scene_type=picture.scene_type,
        repeated=one.repeated,
    )
