"""The same upload once more: by its bytes, by its Idempotency-Key, and by two hundred callers at once."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from tests.conftest import signed_in_client
from tests.pictures.uploading import (
    Shop,
    accepted,
    info_of,
    jobs,
    nothing_kept,
    objects_of,
    picture,
    rows,
    upload,
)

from coldshelf.access.principal import Role
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock

pytestmark = pytest.mark.usefixtures("shop")

KEY = {"Idempotency-Key": "visit 77"}
CROWD = 200


async def test_late_duplicate_upload_returns_first_result(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    first = await upload(admin, picture(), SerialNumber="C-1")
    clock.advance(timedelta(minutes=1439, seconds=59))
    again = await upload(admin, ("other name.jpg", picture()), SerialNumber="c-1", IsStitchImage="false", IMEI="1")

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["X-Duplicate-Of"] == first.json()[0]["UniqueGuid"]
    assert "X-Duplicate-Of" not in first.headers
    assert (len(await rows(run, shop.client_id)), await jobs(run), len(objects_of(run))) == (1, 1, 1)


async def test_window_ends_after_1440_minutes(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    first = accepted(await upload(admin, picture(), SerialNumber="C-1"))
    clock.advance(timedelta(minutes=1440))
    answer = await upload(admin, picture(), SerialNumber="C-1")
    clock.advance(timedelta(minutes=1))
    third = await upload(admin, picture(), SerialNumber="C-1")

    assert "X-Duplicate-Of" not in answer.headers
    assert accepted(answer)[0]["UniqueGuid"] != first[0]["UniqueGuid"]
    assert third.content == answer.content, "the window runs anew from the second picture"
    assert len(await rows(run, shop.client_id)) == 2


async def test_other_cooler_scene_or_flag_is_another_picture(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    cases = [
        {"SerialNumber": "C-1"},
        {"SerialNumber": "C-2"},
        {"StoreNumber": "MANY"},
        {"SerialNumber": "C-1", "SceneType": "AssetView"},
        {"SerialNumber": "C-1", "SceneType": "Own scene"},
        {"SerialNumber": "C-1", "BeforeAfterImage": "1"},
        {"SerialNumber": "C-1", "BeforeAfterImage": "2"},
    ]

    for sent in cases:
        answer = await upload(admin, picture(), **sent)
        accepted(answer)
        assert "X-Duplicate-Of" not in answer.headers

    again = await upload(admin, picture(), SerialNumber="C-1", SceneType="OWN SCENE")
    assert "X-Duplicate-Of" in again.headers
    assert len(await rows(run, shop.client_id)) == len(cases)


async def test_sent_again_after_the_cooler_became_inactive_is_refused(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(), SerialNumber="C-1"))
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE asset SET is_active = false WHERE serial_number = 'C-1'")

    assert info_of(await upload(admin, picture(), SerialNumber="C-1")) == "Asset C-1 is Inactive"


async def test_several_files_sent_again_get_their_first_objects(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    loose = {"SerialNumber": "C-1", "IsStitchImage": "false"}
    first = await upload(admin, picture(1), picture(2), b"text", **loose)
    again = await upload(admin, picture(1), picture(2), b"text", **loose)
    mixed = await upload(admin, picture(3), picture(1), **loose)

    assert again.content == first.content
    guids = [entry.get("UniqueGuid") for entry in first.json()]
    assert again.headers["X-Duplicate-Of"] == f"{guids[0]}, {guids[1]}"
    assert mixed.headers["X-Duplicate-Of"] == guids[0]
    assert [entry["UniqueGuid"] == guids[0] for entry in mixed.json()] == [False, True]
    assert len(await rows(run, shop.client_id)) == 3


async def test_stitched_files_sent_again_are_one_picture_unless_their_places_changed(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    first = await upload(admin, picture(1), picture(2), SerialNumber="C-1")
    again = await upload(admin, picture(1), picture(2), SerialNumber="C-1", GridOrder="1,2")
    turned = await upload(admin, picture(1), picture(2), SerialNumber="C-1", GridOrder="2,1")

    assert again.content == first.content
    assert turned.content != first.content
    assert len(await rows(run, shop.client_id)) == 2


async def test_same_file_twice_in_one_upload_is_one_picture(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, picture(), picture(), SerialNumber="C-1", IsStitchImage="false")

    first, second = accepted(answer)
    assert first == second
    assert "X-Duplicate-Of" not in answer.headers
    assert (len(await rows(run, shop.client_id)), await jobs(run), len(objects_of(run))) == (1, 1, 1)


async def test_key_replays_the_first_answer_whatever_has_changed(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    first = await upload(admin, picture(), SerialNumber="C-1", headers=KEY)
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE asset SET is_active = false WHERE serial_number = 'C-1'")
    again = await upload(admin, picture(), serialnumber="C-1", headers=KEY)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (len(await rows(run, shop.client_id)), len(objects_of(run))) == (1, 1)


async def test_key_with_other_content_is_refused_as_an_array(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(1), SerialNumber="C-1", headers=KEY))

    for files, form in (((picture(2),), {"SerialNumber": "C-1"}), ((picture(1),), {"SerialNumber": "C-2"})):
        answer = await upload(admin, *files, **form, headers=KEY)
        assert (answer.status_code, info_of(answer)) == (422, "This Idempotency-Key was used for another request")

    assert (len(await rows(run, shop.client_id)), len(objects_of(run))) == (1, 1)


async def test_refused_upload_does_not_use_its_key_up(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    assert info_of(await upload(admin, picture(), SerialNumber="new", headers=KEY)) == "Asset not found: new"
    assert await nothing_kept(run, shop.client_id)
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE asset SET serial_number = 'new' WHERE serial_number = 'C-1'")

    answer = await upload(admin, picture(), SerialNumber="new", headers=KEY)

    accepted(answer)
    assert "Idempotency-Replayed" not in answer.headers


async def test_key_replays_refused_files_as_well(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    loose = {"SerialNumber": "C-1", "IsStitchImage": "false", "VerifyFileSize": "true"}
    first = await upload(admin, picture(), ("empty.jpg", b""), **loose, headers=KEY)
    again = await upload(admin, picture(), ("empty.jpg", b""), **loose, headers=KEY)

    assert [entry["Success"] for entry in first.json()] == [True, False]
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


async def test_new_key_does_not_double_the_same_bytes(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    first = await upload(admin, picture(), SerialNumber="C-1", headers=KEY)
    other = await upload(admin, picture(), SerialNumber="C-1", headers={"Idempotency-Key": "visit 78"})

    assert other.content == first.content
    assert other.headers["X-Duplicate-Of"] == first.json()[0]["UniqueGuid"]
    assert len(await rows(run, shop.client_id)) == 1


async def test_keys_of_two_users_are_two_keys(run: Runtime, app: object, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(1), SerialNumber="C-1", headers=KEY))
    async with await signed_in_client(run, app, shop.client_id, "rep", Role.SALES_REP) as rep:
        answer = await upload(rep, picture(2), SerialNumber="C-1", headers=KEY)

    accepted(answer)
    assert len(await rows(run, shop.client_id)) == 2


async def test_key_of_wrong_form_is_told(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, picture(), SerialNumber="C-1", headers={"Idempotency-Key": "x" * 256})

    assert info_of(answer) == "Idempotency-Key takes 1 to 255 printable ASCII characters."
    assert await nothing_kept(run, shop.client_id)


async def test_200_uploads_of_the_same_bytes_at_once_are_one_picture(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    answers = await asyncio.gather(*(upload(admin, picture(), SerialNumber="C-1") for _ in range(CROWD)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    accepted(answers[0])
    assert Counter("X-Duplicate-Of" in answer.headers for answer in answers) == {True: CROWD - 1, False: 1}
    assert (len(await rows(run, shop.client_id)), await jobs(run), len(objects_of(run))) == (1, 1, 1)


async def test_200_uploads_with_the_same_key_at_once_are_one_picture(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, set_up: object
) -> None:
    set_up(idempotency_wait=timedelta(minutes=2))

    answers = await asyncio.gather(*(upload(admin, picture(), SerialNumber="C-1", headers=KEY) for _ in range(CROWD)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Counter("Idempotency-Replayed" in answer.headers for answer in answers) == {True: CROWD - 1, False: 1}
    assert (len(await rows(run, shop.client_id)), await jobs(run), len(objects_of(run))) == (1, 1, 1)


async def test_uploads_of_many_files_at_once_do_not_wait_for_each_other_for_ever(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    """Half of them name the files the other way round: claims taken in the order sent would end in a deadlock."""
    files = [picture(seed) for seed in range(6)]
    loose = {"SerialNumber": "C-1", "IsStitchImage": "false"}

    answers = await asyncio.gather(*(upload(admin, *(files if n % 2 else reversed(files)), **loose) for n in range(30)))

    for answer in answers:
        assert len(accepted(answer)) == 6
    assert (len(await rows(run, shop.client_id)), len(objects_of(run))) == (6, 6)
