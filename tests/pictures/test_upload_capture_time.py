"""When a picture was taken: the camera's word, the outlet's zone, or the time of receipt (contract 2.1)."""

# ruff: noqa: DTZ001  what EXIF and the wall of an outlet say has no zone

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.pictures.uploading import Shop, accepted, picture, rows, taken, upload

from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock

pytestmark = pytest.mark.usefixtures("shop")

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


async def test_capture_time_is_the_cameras_if_it_can_be_believed(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    """The outlet ONE is in Los Angeles: eight hours behind UTC in November."""
    clock.set(NOON)
    at = datetime(2026, 11, 20, 10, 15)
    cases = [
        (picture(1), NOON, datetime(2026, 11, 21, 4, 0), "received"),
        (taken(picture(2), at, "+02:00"), at.replace(hour=8, tzinfo=UTC), datetime(2026, 11, 20, 0, 15), "exif_offset"),
        (taken(picture(3), at), at.replace(hour=18, tzinfo=UTC), at, "exif_zone"),
        (taken(picture(4), "0000:00:00 00:00:00"), NOON, datetime(2026, 11, 21, 4, 0), "received"),
        (taken(picture(5), datetime(1999, 12, 31)), NOON, datetime(2026, 11, 21, 4, 0), "received"),
        (taken(picture(6), at, "nonsense"), at.replace(hour=18, tzinfo=UTC), at, "exif_zone"),
    ]

    for content, *_ in cases:
        accepted(await upload(admin, content, SerialNumber="C-1"))

    records = await rows(run, shop.client_id)
    found = [(row["captured_on"], row["captured_local"], row["capture_time_source"]) for row in records]
    assert found == [tuple(expected) for _, *expected in cases]
    assert {row["received_on"] for row in records} == {NOON}
    assert {row["submission_outcome"] for row in records} == {"AutoProvisioned"}


async def test_cooler_without_an_outlet_keeps_the_clients_time(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    clock.set(NOON)
    async with run.database.system() as connection:
        await connection.execute("UPDATE client SET time_zone = 'Asia/Tokyo' WHERE id = $1", shop.client_id)

    accepted(await upload(admin, taken(picture(), datetime(2026, 11, 21, 9, 0)), SerialNumber="C-LOOSE"))

    (record,) = await rows(run, shop.client_id)
    assert (record["captured_on"], record["captured_local"]) == (
        datetime(2026, 11, 21, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 9, 0),
    )


async def test_time_in_the_future_waits_for_review(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    clock.set(NOON)
    soon, late = NOON + timedelta(minutes=9), NOON + timedelta(minutes=11)

    accepted(await upload(admin, taken(picture(1), soon, "+00:00"), SerialNumber="C-1"))
    accepted(await upload(admin, taken(picture(2), late, "+00:00"), SerialNumber="C-1"))
    accepted(await upload(admin, taken(picture(3), late, "+00:00"), SerialNumber="C-1", SceneType="POS"))

    records = await rows(run, shop.client_id)
    assert [(row["status_id"], row["submission_outcome"], row["rejection_reason"]) for row in records] == [
        (2, "AutoProvisioned", None),
        (0, "Pending", "CaptureTimeInFuture"),
        (2, "AutoProvisioned", None),
    ]
    assert records[1]["captured_on"] == late, "what the camera said stays visible"


async def test_combined_picture_has_the_time_of_its_leftmost_file(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    clock.set(NOON)
    first, second = datetime(2026, 11, 1, 8, 0), datetime(2026, 11, 1, 9, 0)
    files = taken(picture(1), first, "+00:00"), taken(picture(2), second, "+00:00")

    accepted(await upload(admin, *files, SerialNumber="C-1"))
    accepted(await upload(admin, *files, SerialNumber="C-1", GridOrder="2,1"))

    records = await rows(run, shop.client_id)
    assert [row["captured_on"].hour for row in records] == [8, 9]
