"""Several files of one upload, each sent by tus: recorded together, in their order, whatever breaks in between."""

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import signed_in_client
from tests.pictures.test_resumable import BYTES, PATH, TUS, encoded, offset_of, send
from tests.pictures.uploading import Shop, nothing_kept, objects_of, one_record, picture, rows, upload

from coldshelf.access.principal import Role
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock, FaultyStore
from coldshelf.pictures.service.resumable import sweep

pytestmark = pytest.mark.usefixtures("shop")

FILES = [picture(seed) for seed in (11, 12, 13)]
NAMES = ["centre.jpg", "left.jpg", "right.jpg"]
ORDER = "2,1,3"
SAID = {"SerialNumber": "C-1", "GridOrder": ORDER}


async def begin(http: httpx.AsyncClient, number: int, **otherwise: str) -> httpx.Response:
    """Begin the n-th of the three files of a set of the cooler C-1."""
    names = {"set": "visit-7", "file": str(number), "files": "3", "filename": NAMES[number - 1]}
    metadata = encoded(**{**SAID, **names, **otherwise})
    headers = {**TUS, "Upload-Length": str(len(FILES[number - 1])), "Upload-Metadata": metadata}
    return await http.post(PATH, headers=headers)


async def places(http: httpx.AsyncClient, **otherwise: str) -> list[str]:
    return [(await begin(http, number, **otherwise)).headers["location"] for number in (1, 2, 3)]


async def states(http: httpx.AsyncClient, where: list[str]) -> list[str]:
    return [(await http.get(place)).json()["state"] for place in where]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_set_is_what_the_multipart_upload_would_make_whichever_file_ends_last(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, order: tuple[int, ...]
) -> None:
    where = await places(admin)

    answers = [await send(admin, where[index], 0, FILES[index]) for index in order]

    assert [answer.status_code for answer in answers] == [204] * 3
    assert ["x-upload-answer" in answer.headers for answer in answers] == [False, False, True]
    record = await one_record(run, shop.client_id)
    assert (record["file_count"], record["grid_order"], record["is_stitched"]) == (3, ORDER, True)
    kept = await rows(run, shop.client_id, "picture_file", "number")
    assert [file["file_name"] for file in kept] == NAMES
    assert [run.objects.get(file["object_key"]) for file in kept] == FILES
    assert sorted(objects_of(run)) == sorted(file["object_key"] for file in kept), "no part is left"
    parts = [("file", (name, content, "image/jpeg")) for name, content in zip(NAMES, FILES, strict=True)]
    plain = await admin.post("/controllers/coolrapi.ashx?action=uploadImage", data=SAID, files=parts)
    assert plain.content == answers[-1].headers["x-upload-answer"].encode(), "the same bytes are the same picture"


async def test_whole_files_wait_and_say_for_which(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    first, second, third = await places(admin)

    await send(admin, third, 0, FILES[2])
    await send(admin, first, 0, FILES[0][:300])
    waiting = (await admin.get(third)).json()

    assert await states(admin, [first, second, third]) == ["open", "open", "waiting"]
    assert waiting["set"] == {"name": "visit-7", "file": 3, "files": 3, "awaited": [1, 2]}
    assert (waiting["offset"], waiting["answer"]) == (len(FILES[2]), None)
    assert await rows(run, shop.client_id) == []


async def test_every_file_of_a_stored_set_gives_its_answer(admin: httpx.AsyncClient) -> None:
    where = await places(admin)
    answers = [await send(admin, place, 0, content) for place, content in zip(where, FILES, strict=True)]

    told = [(await admin.head(place, headers=TUS)).headers["x-upload-answer"] for place in where]
    again = await begin(admin, 1)

    assert told == [answers[2].headers["x-upload-answer"]] * 3
    assert await states(admin, where) == ["stored"] * 3
    assert (again.status_code, again.headers["location"]) == (201, where[0])
    assert again.headers["x-upload-answer"] == told[0]


async def test_a_file_begun_again_goes_on_where_it_broke(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    where = await places(admin)
    await send(admin, where[1], 0, FILES[1][:400])

    again = await begin(admin, 2)
    metadata = encoded(**SAID, set="visit-7", file="2", files="3")
    headers = {**TUS, **BYTES, "Upload-Length": str(len(FILES[1])), "Upload-Metadata": metadata}
    with_bytes = await admin.post(PATH, content=FILES[1], headers=headers)

    for answer in (again, with_bytes):
        assert (answer.status_code, answer.headers["location"], answer.headers["upload-offset"]) == (
            201,
            where[1],
            "400",
        )
    await send(admin, where[1], 400, FILES[1][400:])
    await send(admin, where[0], 0, FILES[0])
    await send(admin, where[2], 0, FILES[2])
    assert (await one_record(run, shop.client_id))["file_count"] == 3


async def test_files_sent_with_their_beginning_make_a_set(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answers = []
    for number, content in enumerate(FILES, 1):
        metadata = encoded(**SAID, set="visit-8", file=str(number), files="3")
        headers = {**TUS, **BYTES, "Upload-Length": str(len(content)), "Upload-Metadata": metadata}
        answers.append(await admin.post(PATH, content=content, headers=headers))

    assert [answer.status_code for answer in answers] == [201] * 3
    assert "x-upload-answer" in answers[2].headers
    assert (await one_record(run, shop.client_id))["file_count"] == 3


async def test_last_files_that_come_at_the_same_moment_make_one_picture(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    where = await places(admin)

    answers = await asyncio.gather(
        *(send(admin, place, 0, content) for place, content in zip(where, FILES, strict=True) for _ in range(2))
    )

    assert {answer.status_code for answer in answers} <= {204, 409}
    assert (await one_record(run, shop.client_id))["file_count"] == 3
    assert await states(admin, where) == ["stored"] * 3
    assert len(objects_of(run)) == 3


async def test_nobody_elses_file_gets_into_a_set(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, shop: Shop
) -> None:
    where = await places(admin)
    await send(admin, where[0], 0, FILES[0])
    await send(admin, where[1], 0, FILES[1])
    async with await signed_in_client(run, app, shop.client_id, "rep", Role.SALES_REP) as rep:
        own = await begin(rep, 3)
        assert own.headers["location"] not in where, "the same name is a set of its own"
        await send(rep, own.headers["location"], 0, FILES[2])
        theirs = (await rep.get(own.headers["location"])).json()

        assert (theirs["state"], theirs["set"]["awaited"]) == ("waiting", [1, 2])
        for other in (stranger, rep):
            assert [(await other.get(place)).status_code for place in where] == [404] * 3
            assert (await send(other, where[2], 0, FILES[2])).status_code == 404
    assert (await begin(stranger, 3)).json()["detail"] == "Asset not found: C-1"
    assert await states(admin, where) == ["waiting", "waiting", "open"]
    assert await rows(run, shop.client_id) == []


@pytest.mark.parametrize(
    ("otherwise", "status", "words"),
    [
        ({"file": ""}, 400, "Upload-Metadata: a file of a set says set, file, files; lacking: file."),
        ({"set": ""}, 400, "Upload-Metadata: a file of a set says set, file, files; lacking: set."),
        ({"file": "0"}, 400, "file takes a number from 1 to files (3), not 0."),
        ({"file": "4"}, 400, "file takes a number from 1 to files (3), not 4."),
        ({"file": "one"}, 400, "file takes a whole number, not 'one'."),
        ({"set": "x" * 101}, 400, "set takes at most 100 characters, not 101."),
        ({"files": "21"}, 413, "The upload has more than 20 files"),
        ({"GridOrder": "1,2"}, 400, "Files did not match with the grid order"),
        ({"SerialNumber": "nowhere"}, 400, "Asset not found: nowhere"),
    ],
)
async def test_what_the_set_cannot_be_is_refused_at_the_beginning(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, otherwise: dict[str, str], status: int, words: str
) -> None:
    answer = await begin(admin, 1, **otherwise)

    assert (answer.status_code, answer.json()["detail"]) == (status, words)
    assert await rows(run, shop.client_id, "resumable_upload", "guid") == []


@pytest.mark.parametrize(
    ("number", "otherwise", "named"),
    [
        (2, {"SerialNumber": "C-2"}, "SerialNumber"),
        (2, {"GridOrder": "1,2,3", "SceneType": "POS"}, "SceneType, GridOrder"),
        (2, {"files": "2", "GridOrder": "2,1"}, "files, GridOrder"),
        (1, {"BeforeAfterImage": "1"}, "BeforeAfterImage"),
    ],
)
async def test_files_of_a_set_say_the_same(
    admin: httpx.AsyncClient, number: int, otherwise: dict[str, str], named: str
) -> None:
    await begin(admin, 1)

    answer = await begin(admin, number, **otherwise)

    assert (answer.status_code, answer.json()["code"]) == (409, "set_mismatch")
    assert answer.json()["detail"] == f"The files of a set must say the same; this one says otherwise: {named}."


async def test_a_file_has_one_length_and_all_together_are_bounded(
    admin: httpx.AsyncClient, set_up: object, app: FastAPI
) -> None:
    await begin(admin, 1)
    metadata = encoded(**SAID, set="visit-7", file="1", files="3")
    longer = await admin.post(PATH, headers={**TUS, "Upload-Length": "9999", "Upload-Metadata": metadata})
    most = len(FILES[0]) + len(FILES[1]) - 1
    app.state.run = replace(app.state.run, settings=app.state.run.settings.model_copy(update={"max_body_bytes": most}))

    beyond = await begin(admin, 2)

    assert (longer.status_code, longer.json()["code"]) == (409, "set_mismatch")
    assert (beyond.status_code, beyond.json()["detail"]) == (
        413,
        f"The files of the set have {most + 1:,} bytes; together they have at most {most:,}.",
    )


async def test_a_bad_file_refuses_the_set_and_is_named(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    where = await places(admin)
    await send(admin, where[2], 0, FILES[2])
    await send(admin, where[1], 0, b"x" * len(FILES[1]))

    answer = await send(admin, where[0], 0, FILES[0])

    words = "Image format is not supported: send JPEG, PNG, WebP or HEIC: left.jpg"
    assert (answer.status_code, answer.json()["detail"]) == (400, words)
    assert await states(admin, where) == ["refused"] * 3
    assert [await offset_of(admin, place) for place in where] == [(410, None)] * 3
    assert await rows(run, shop.client_id) == []
    again = await begin(admin, 2)
    assert (again.status_code, again.headers["upload-offset"]) == (201, "0"), "the set may be sent anew"


async def test_files_that_are_not_stitched_are_taken_each_for_itself(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    where = await places(admin, IsStitchImage="false", GridOrder="")
    await send(admin, where[0], 0, FILES[0])
    await send(admin, where[1], 0, b"x" * len(FILES[1]))

    await send(admin, where[2], 0, FILES[2])
    state = (await admin.get(where[0])).json()

    assert state["state"] == "stored"
    assert [entry["Success"] for entry in state["answer"]] == [True, False, True]
    assert len(await rows(run, shop.client_id)) == 2


async def test_a_file_that_was_ended_is_awaited_again(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    where = await places(admin)
    await send(admin, where[0], 0, FILES[0])

    ended = await admin.delete(where[0], headers=TUS)
    await send(admin, where[1], 0, FILES[1])
    last = await send(admin, where[2], 0, FILES[2])
    state = (await admin.get(where[2])).json()
    again = await begin(admin, 1)
    done = await send(admin, again.headers["location"], 0, FILES[0])

    assert (ended.status_code, last.status_code, state["set"]["awaited"]) == (204, 204, [1])
    assert "x-upload-answer" in done.headers
    assert (await one_record(run, shop.client_id))["file_count"] == 3


async def test_a_set_lives_as_long_as_anything_comes_and_then_is_swept(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    where = await places(admin)
    await send(admin, where[0], 0, FILES[0])
    clock.advance(timedelta(hours=23))
    await send(admin, where[1], 0, FILES[1][:200])
    clock.advance(timedelta(hours=23))
    alive = await states(admin, where)
    assert await sweep(app.state.run) == 0
    clock.advance(timedelta(hours=1))

    late = await send(admin, where[1], 200, FILES[1][200:])
    begun = await begin(admin, 3)

    assert alive == ["waiting", "open", "open"]
    assert (late.status_code, begun.status_code) == (410, 410)
    assert begun.json()["cure"] == "Give it another name."
    assert await sweep(app.state.run) == 3
    assert await nothing_kept(run, shop.client_id)


async def test_fault_at_the_end_leaves_the_last_file_to_be_tried_again(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop
) -> None:
    where = await places(admin)
    await send(admin, where[0], 0, FILES[0])
    await send(admin, where[1], 0, FILES[1])
    app.state.run = replace(app.state.run, objects=FaultyStore(run.objects, fail_commits=1))

    failed = await send(admin, where[2], 0, FILES[2])
    stands = await offset_of(admin, where[2])
    done = await send(admin, where[2], 0, FILES[2])

    assert (failed.status_code, stands, done.status_code) == (500, (200, "0"), 204)
    assert (await one_record(run, shop.client_id))["file_count"] == 3
    assert len(objects_of(run)) == 3


async def test_a_file_alone_may_be_a_set_of_one(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    begun = await begin(admin, 1, files="1", GridOrder="")

    answer = await send(admin, begun.headers["location"], 0, FILES[0])
    plain = await upload(admin, FILES[0], SerialNumber="C-1")

    assert answer.headers["x-upload-answer"].encode() == plain.content
    assert (await one_record(run, shop.client_id))["file_count"] == 1
