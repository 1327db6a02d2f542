"""The twelve published errors, word by word, and the order in which they are looked for (contract 2.1 and 2.3)."""

from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import PASSWORD, _already_open
from tests.pictures.uploading import (
    PATH,
    Shop,
    accepted,
    info_of,
    jobs,
    nothing_kept,
    objects_of,
    one_record,
    picture,
    rows,
    upload,
)

from coldshelf.entrypoints.api import build_app
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FaultyStore

pytestmark = pytest.mark.usefixtures("shop")

BOUNDARY = "b0undary"


async def test_every_refusal_has_its_published_words(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    good = {"SerialNumber": "C-1"}
    cases = [
        ((picture(),), {}, {}, "Action not found"),
        ((picture(),), {"action": "uploadImages"}, {}, "Action not found"),
        ((), None, good, "No image files found to upload"),
        ((picture(),), None, {}, "StoreNumber or Asset Serial# is required"),
        ((picture(),), None, {"SerialNumber": "ASSET-123"}, "Asset not found: ASSET-123"),
        ((picture(),), None, {"StoreNumber": "unheard"}, "Outlet not Found OR is Linked with Asset: unheard"),
        (
            (picture(),),
            None,
            {"SerialNumber": "C-1", "StoreNumber": "MANY"},
            "Asset assigned to outlet code ONE, passed code MANY - mismatch",
        ),
        ((picture(1), picture(2)), None, {**good, "GridOrder": "1"}, "Files did not match with the grid order"),
        ((picture(),), None, {"SerialNumber": "C-OLD"}, "Asset C-OLD is Inactive"),
        (((("empty.jpg", b"")),), None, {**good, "VerifyFileSize": "true"}, "Image saved with 0 bytes"),
        ((b"not a picture",), None, good, "Image format is not supported: send JPEG, PNG, WebP or HEIC"),
        ((picture()[:-20],), None, good, "Image is corrupted"),
    ]

    for files, query, form, words in cases:
        answer = await upload(admin, *files, query=query, **form)
        assert (answer.status_code, info_of(answer)) == (200, words)

    assert await rows(run, shop.client_id) == []
    assert await jobs(run) == 0
    assert [key for key in objects_of(run) if not key.startswith("quarantine/")] == []


async def test_earlier_checks_speak_first(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    everything_wrong = {"SerialNumber": "C-OLD", "StoreNumber": "MANY", "GridOrder": "1", "VerifyFileSize": "true"}
    bad = (b"", picture()[:-20])
    cases = [
        ((), {"action": "x"}, {}, "Action not found"),
        ((), None, {}, "No image files found to upload"),
        (bad, None, {"GridOrder": "1"}, "StoreNumber or Asset Serial# is required"),
        (bad, None, {**everything_wrong, "SerialNumber": "?"}, "Asset not found: ?"),
        (bad, None, everything_wrong, "Asset assigned to outlet code OLD, passed code MANY - mismatch"),
        (bad, None, {**everything_wrong, "StoreNumber": "OLD"}, "Asset C-OLD is Inactive"),
        (bad, None, {"SerialNumber": "C-1", "GridOrder": "1"}, "Files did not match with the grid order"),
        (bad, None, {"SerialNumber": "C-1"}, "Image saved with 0 bytes: shelf_1.jpg"),
    ]

    for files, query, form, words in cases:
        assert info_of(await upload(admin, *files, query=query, **form)) == words

    assert await nothing_kept(run, shop.client_id)


@pytest.mark.parametrize(
    ("fault", "words"), [("upload", "Something went wrong"), ("save", "Something went wrong while saving image")]
)
async def test_fault_switch_provokes_the_unexpected(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, set_up: object, fault: str, words: str
) -> None:
    set_up(faults=f"x,{fault}")

    answer = await upload(admin, picture(), SerialNumber="C-1")
    assert (answer.status_code, info_of(answer)) == (500, words)
    assert info_of(await upload(admin, picture(), query={}, SerialNumber="C-1")) == "Action not found"
    assert await nothing_kept(run, shop.client_id)

    set_up(faults="")
    accepted(await upload(admin, picture(), SerialNumber="C-1"))


@pytest.mark.parametrize("knob", ["fail_writes", "fail_commits", "fail_late_commits"])
async def test_full_disk_is_told_and_leaves_nothing(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop, knob: str
) -> None:
    store = FaultyStore(run.objects)
    app.state.run = replace(run, objects=store)
    setattr(store, knob, 1)

    answer = await upload(admin, picture(1), picture(2), SerialNumber="C-1", IsStitchImage="false")
    assert (answer.status_code, info_of(answer)) == (500, "Something went wrong while saving image")
    assert await nothing_kept(run, shop.client_id)

    accepted(await upload(admin, picture(1), picture(2), SerialNumber="C-1", IsStitchImage="false"))
    assert len(await rows(run, shop.client_id)) == 2


async def test_lost_database_is_told_and_leaves_no_record(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, url: str
) -> None:
    """The table of claims is gone in the middle of the transaction: what was written before it is rolled back."""
    async with run.database.system() as connection:
        await connection.execute("ALTER TABLE picture_file RENAME TO lost")

    answer = await upload(admin, picture(), SerialNumber="C-1")

    assert (answer.status_code, info_of(answer)) == (500, "Something went wrong while saving image")
    async with run.database.system() as connection:
        await connection.execute("ALTER TABLE lost RENAME TO picture_file")
    assert await nothing_kept(run, shop.client_id)


async def test_commit_that_was_never_confirmed_keeps_the_bytes(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop
) -> None:
    """Whether it happened cannot be known, and a record without bytes is worse than bytes without a record."""
    async with run.database.system() as connection:
        await connection.execute("""
            CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER break_off AFTER INSERT ON picture DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION break_off()""")

    answer = await upload(admin, picture(), SerialNumber="C-1")

    assert (answer.status_code, info_of(answer)) == (500, "Something went wrong while saving image")
    assert await rows(run, shop.client_id) == []
    assert len(objects_of(run)) == 1


async def test_body_above_the_limit_is_refused(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    small = build_app(run.settings.model_copy(update={"max_body_bytes": 5000}), _already_open(run))
    small.state.run = run

    async def unannounced() -> object:
        for _ in range(20):
            yield b"x" * 1000

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(small), base_url="http://t", auth=("admin", PASSWORD)
    ) as http:
        answer = await http.post(
            f"{PATH}?action=uploadImage&SerialNumber=C-1",
            content=unannounced(),
            headers={"Content-Type": "image/jpeg"},
        )

    assert (answer.status_code, info_of(answer)) == (413, "The request body is larger than 5,000 bytes.")
    assert await nothing_kept(run, shop.client_id)


async def test_announced_body_above_the_limit_is_refused_unread(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    size = str(run.settings.max_body_bytes + 1)
    answer = await admin.post(
        f"{PATH}?action=uploadImage&SerialNumber=C-1",
        content=b"x",
        headers={"Content-Type": "image/jpeg", "Content-Length": size},
    )

    assert (answer.status_code, info_of(answer)) == (413, "The request body is larger than 67,108,864 bytes.")
    assert await nothing_kept(run, shop.client_id)


async def test_too_many_files_are_refused(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, *[picture()] * 21, SerialNumber="C-1")
    assert (answer.status_code, info_of(answer)) == (413, "The upload has more than 20 files")

    crowd = {f"field {n}": "x" for n in range(250)}
    answer = await upload(admin, picture(), SerialNumber="C-1", **crowd)
    assert answer.status_code == 413
    assert info_of(answer).startswith("The upload has too many parts")

    answer = await upload(admin, picture(), SerialNumber="x" * 70_000)
    assert (answer.status_code, info_of(answer)) == (413, "The field SerialNumber is longer than 65,536 bytes")
    assert await nothing_kept(run, shop.client_id)


async def test_bodies_that_cannot_be_read_say_why(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'.encode()
    form, url = f"multipart/form-data; boundary={BOUNDARY}", f"{PATH}?action=uploadImage&SerialNumber=C-1"
    latin = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="SerialNumber"\r\n\r\n'.encode() + b"K\xfchl"
    cases = [
        ("multipart/form-data", part, "The Content-Type multipart/form-data has no boundary"),
        (form, part + picture()[:50], "The multipart body is malformed: "),
        (form, part + picture() + f"\r\n--{BOUNDARY}x".encode(), "The multipart body is malformed: "),
        (form, b"nonsense", "The multipart body is malformed: "),
        (form, f"--{BOUNDARY}\r\nnonsense\r\n\r\n".encode(), "The multipart body is malformed: "),
        (form, latin + f"\r\n--{BOUNDARY}--\r\n".encode(), "The field SerialNumber is not UTF-8"),
        ("application/x-www-form-urlencoded", b"a=\xff", "The form is not UTF-8"),
        (form, b"", "No image files found to upload"),
        (form, f"--{BOUNDARY}--\r\n".encode(), "No image files found to upload"),
        ("application/json", b'{"a": 1}', "No image files found to upload"),
        ("", b"whatever", "No image files found to upload"),
    ]

    for kind, body, words in cases:
        answer = await admin.post(url, content=body, headers={"Content-Type": kind})
        assert answer.status_code == 200, words
        assert info_of(answer).startswith(words)

    assert await nothing_kept(run, shop.client_id)


async def test_picture_as_the_whole_body_is_taken(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    for seed, kind in enumerate(("image/jpeg", "application/octet-stream")):
        accepted(
            await admin.post(
                f"{PATH}?action=uploadImage&SerialNumber=C-1",
                content=picture(seed),
                headers={"Content-Type": kind},
            )
        )

    assert [file["bytes"] for file in await rows(run, shop.client_id, "picture_file", "picture_id")] == [
        len(picture(0)),
        len(picture(1)),
    ]


async def test_full_queue_asks_to_come_back(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    async with run.database.system() as connection:
        await connection.execute(
            "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after)"
            " VALUES (0, 'queued', 'x', now() - interval '7 hours')"
        )

    answer = await upload(admin, picture(), SerialNumber="C-1")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
    assert info_of(answer) == "Too many pictures wait to be processed"
    assert (await rows(run, shop.client_id), objects_of(run)) == ([], [])


async def test_too_many_requests_of_one_credential_are_told_as_an_array(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, set_up: object
) -> None:
    set_up(requests_per_minute=1)
    accepted(await upload(admin, picture(1), SerialNumber="C-1"))

    answer = await upload(admin, picture(2), SerialNumber="C-1")

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert info_of(answer)
    assert (await one_record(run, shop.client_id))["id"] > 0
