"""Pending, auto-provisioned or rejected: every row of the table of contract 2.4."""

from dataclasses import replace

import httpx
import pytest
from tests.pictures.uploading import Shop, accepted, picture, rows, upload

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.models import Outcome, Verdict
from coldshelf.pictures.outcomes import PROVISIONED, Facts, decide, decide_quality, pending, rejected
from coldshelf.pictures.scenes import SCENES, scene_named

ANALYSED = scene_named("ProductAnalysis")
GOOD = Facts(
    scene=ANALYSED,
    is_empty=False,
    has_asset=True,
    has_planogram=True,
    demands_planogram=False,
    reviews_by_hand=False,
    is_in_future=False,
)
NO_PLAN = replace(GOOD, demands_planogram=True, has_planogram=False)
EVERYTHING_WRONG = replace(NO_PLAN, is_empty=True, has_asset=False, is_in_future=True)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (EVERYTHING_WRONG, rejected("ZeroBytes")),
        (replace(EVERYTHING_WRONG, scene=None), rejected("ZeroBytes")),
        (replace(EVERYTHING_WRONG, scene=scene_named("POS")), rejected("ZeroBytes")),
        (replace(EVERYTHING_WRONG, scene=scene_named("POS"), is_empty=False), PROVISIONED),
        (replace(NO_PLAN, scene=scene_named("AssetView"), is_in_future=True), PROVISIONED),
        (replace(GOOD, scene=scene_named("AssetView"), has_asset=False), pending("SeveralAssets")),
        (replace(GOOD, scene=scene_named("AssetBarcode"), has_asset=False), pending("SeveralAssets")),
        (replace(GOOD, scene=scene_named("StoreView"), has_asset=False), PROVISIONED),
        (GOOD, PROVISIONED),
        (replace(GOOD, demands_planogram=True), PROVISIONED),
        (replace(GOOD, has_planogram=False), PROVISIONED),
        (NO_PLAN, rejected("NoPlanogram")),
        (replace(NO_PLAN, reviews_by_hand=True), pending("NoPlanogram")),
        (replace(NO_PLAN, is_in_future=True), rejected("NoPlanogram")),
        (replace(GOOD, has_asset=False), pending("SeveralAssets")),
        (replace(NO_PLAN, has_asset=False), pending("SeveralAssets")),
        (replace(GOOD, scene=None), pending("UnknownScene")),
        (replace(NO_PLAN, scene=None), pending("UnknownScene")),
        (replace(GOOD, is_in_future=True), pending("CaptureTimeInFuture")),
    ],
)
def test_first_row_that_fits_decides(facts: Facts, verdict: Verdict) -> None:
    assert decide(facts) == verdict


def test_a_look_at_the_pixels_can_only_make_it_worse() -> None:
    assert decide_quality("ok", None) is None
    assert decide_quality("unusable", "TooDark") == rejected("TooDark")
    assert decide_quality("doubtful", "Blurred") == pending("Blurred")


def test_verdicts_carry_the_published_numbers() -> None:
    assert (PROVISIONED.outcome, PROVISIONED.status_id) == (Outcome.AUTO_PROVISIONED, 2)
    assert (rejected("x").outcome, rejected("x").status_id) == (Outcome.REJECTED, -1)
    assert (pending("x").outcome, pending("x").status_id) == (Outcome.PENDING, 0)


async def outcome(run: Runtime, http: httpx.AsyncClient, client_id: ClientId, **form: object) -> tuple[object, ...]:
    """Upload one picture and give its outcome, status, words and reason, and the events that were published."""
    (entry,) = accepted(await upload(http, picture(sum(map(ord, repr(form)))), **form))
    (record,) = [row for row in await rows(run, client_id) if row["id"] == entry["AssetPurityId"]]
    events = [row["type"] for row in await rows(run, client_id, "event") if row["key"] == record["id"]]
    return (
        record["submission_outcome"],
        record["status_id"],
        record["image_status"],
        record["rejection_reason"],
        sorted(events),
    )


async def demand(run: Runtime, client_id: ClientId, *, by_hand: bool) -> None:
    async with run.database.system() as connection:
        await connection.execute(
            "UPDATE client SET demands_planogram = true, reviews_by_hand = $2 WHERE id = $1", client_id, by_hand
        )


async def test_every_published_scene_is_accepted_in_any_letter_case(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    for scene in SCENES:
        found = await outcome(run, admin, shop.client_id, SerialNumber="C-1", SceneType=scene.name.upper())
        assert found == ("AutoProvisioned", 2, "Provisioned", None, ["picture.stored"])

    assert [row["scene_type"] for row in await rows(run, shop.client_id)] == [scene.name for scene in SCENES]


async def test_unknown_scene_waits_and_keeps_its_name(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    found = await outcome(run, admin, shop.client_id, SerialNumber="C-1", SceneType="Fridge door")

    assert found == ("Pending", 0, "Unprovisioned", "UnknownScene", ["image.pending", "picture.stored"])
    (record,) = await rows(run, shop.client_id)
    assert (record["scene_type"], record["notes"]) == ("Fridge door", "SceneType Fridge door is not a known scene")


async def test_several_coolers_in_the_store_wait_without_one(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    found = await outcome(run, admin, shop.client_id, StoreNumber="MANY")

    assert found == ("Pending", 0, "Unprovisioned", "SeveralAssets", ["image.pending", "picture.stored"])


async def test_view_of_the_store_needs_no_cooler(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    found = await outcome(run, admin, shop.client_id, StoreNumber="MANY", SceneType="StoreView")

    assert found == ("AutoProvisioned", 2, "Provisioned", None, ["picture.stored"])


async def test_missing_planogram_is_no_matter_unless_the_client_demands_one(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    assert (await outcome(run, admin, shop.client_id, SerialNumber="C-2"))[0] == "AutoProvisioned"


async def test_demanded_planogram_that_is_missing_rejects(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    await demand(run, shop.client_id, by_hand=False)

    found = await outcome(run, admin, shop.client_id, SerialNumber="C-2")
    assert found == ("Rejected", -1, "Rejected", "NoPlanogram", ["image.rejected", "picture.stored"])
    assert (await outcome(run, admin, shop.client_id, SerialNumber="C-1"))[0] == "AutoProvisioned"


async def test_demanded_planogram_that_is_missing_waits_where_people_review(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    await demand(run, shop.client_id, by_hand=True)

    found = await outcome(run, admin, shop.client_id, SerialNumber="C-2")
    assert found == ("Pending", 0, "Unprovisioned", "NoPlanogram", ["image.pending", "picture.stored"])


async def test_deleted_planogram_counts_as_none(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    await demand(run, shop.client_id, by_hand=False)
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE planogram SET is_deleted = true")

    assert (await outcome(run, admin, shop.client_id, SerialNumber="C-1"))[3] == "NoPlanogram"
    (record,) = await rows(run, shop.client_id)
    assert (record["planogram_id"], record["planogram_name"]) == (None, None)
