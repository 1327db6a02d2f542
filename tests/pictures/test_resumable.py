"""Uploads in parts by the tus protocol: the same answers and rules as any upload, whatever breaks in between."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from tests.conftest import signed_in_client
from tests.pictures.uploading import (
    IMEI_ONE,
    Shop,
    nothing_kept,
    objects_of,
    one_record,
    picture,
    rows,
    upload,
)

from coldshelf.access.principal import Role
from coldshelf.access.service import add_device_token
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FakeClock, FaultyStore
from coldshelf.pictures.service import arrival
from coldshelf.pictures.service.resumable import sweep

pytestmark = pytest.mark.usefixtures("shop")

PATH = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = {"Content-Type": "application/offset+octet-stream"}
CONTENT = picture(3)


def encoded(**values: str) -> str:
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


async def begin(http: httpx.AsyncClient, content: bytes = CONTENT, **metadata: str) -> httpx.Response:
    """Begin an upload of the cooler C-1."""
    said = encoded(**(metadata or {"filename": "shelf.jpg", "SerialNumber": "C-1"}))
    return await http.post(PATH, headers={**TUS, "Upload-Length": str(len(content)), "Upload-Metadata": said})


async def send(
    http: httpx.AsyncClient, place: str, offset: int, content: bytes | AsyncIterator[bytes], **headers: str
) -> httpx.Response:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await http.patch(place, content=content, headers={**TUS, **BYTES, "Upload-Offset": str(offset), **more})


async def offset_of(http: httpx.AsyncClient, place: str) -> tuple[int, str | None]:
    answer = await http.head(place, headers=TUS)
    return answer.status_code, answer.headers.get("upload-offset")


def sha1(content: bytes) -> str:
    return "sha1 " + base64.b64encode(hashlib.sha1(content).digest()).decode()


async def test_server_says_what_it_offers_without_sign_in(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.options(PATH)

    assert answer.status_code == 204
    assert {name: answer.headers[name] for name in answer.headers if name.startswith("tus-")} == {
        "tus-resumable": "1.0.0",
        "tus-version": "1.0.0",
        "tus-extension": "creation,creation-with-upload,expiration,checksum,termination",
        "tus-checksum-algorithm": "sha1,sha256,sha512,md5",
        "tus-max-size": str(64 * 1024 * 1024),
    }


async def test_parts_become_the_picture_that_the_plain_upload_would_make(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    begun = await begin(admin)
    place = begun.headers["location"]
    first = await send(admin, place, 0, CONTENT[:700])
    middle = await offset_of(admin, place)
    second = await send(admin, place, 700, CONTENT[700:])
    end = await offset_of(admin, place)
    plain = await upload(admin, CONTENT, SerialNumber="C-1")

    assert (begun.status_code, begun.headers["upload-offset"]) == (201, "0")
    assert (first.status_code, first.headers["upload-offset"], middle) == (204, "700", (200, "700"))
    assert (second.status_code, end) == (204, (200, str(len(CONTENT))))
    assert second.headers["x-upload-answer"].encode() == plain.content, "the same bytes are the same picture"
    assert plain.headers["x-duplicate-of"] == plain.json()[0]["UniqueGuid"]
    record = await one_record(run, shop.client_id)
    assert (record["serial_number"], record["total_bytes"], record["created_by_user"]) == (
        "C-1",
        len(CONTENT),
        "admin",
    )
    (file,) = await rows(run, shop.client_id, "picture_file", "number")
    assert (file["file_name"], file["sha256"]) == ("shelf.jpg", hashlib.sha256(CONTENT).digest())
    assert run.objects.get(file["object_key"]) == CONTENT
    assert objects_of(run) == [file["object_key"]], "no part is left"


async def test_large_request_is_made_durable_part_by_part(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival, "PART_BYTES", 1000)
    place = (await begin(admin)).headers["location"]
    seen: list[str | None] = []

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(CONTENT), 600):
            yield CONTENT[start : start + 600]
            seen.append((await offset_of(admin, place))[1])

    answer = await send(admin, place, 0, slowly(), Content_Length=str(len(CONTENT)))

    assert answer.status_code == 204
    assert 1800 < len(CONTENT) <= 2400
    assert seen == ["0", "1200", "1200", "1200"]
    assert run.objects.get((await rows(run, shop.client_id, "picture_file", "number"))[0]["object_key"]) == CONTENT


async def test_stalled_request_keeps_what_came(admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "PATIENCE_SECONDS", 0.05)
    place = (await begin(admin)).headers["location"]
    seen: list[tuple[int, str | None]] = []

    async def stalling() -> AsyncIterator[bytes]:
        yield CONTENT[:900]
        while not seen or seen[-1][1] == "0":
            await asyncio.sleep(0.02)
            seen.append(await offset_of(admin, place))

    answer = await send(admin, place, 0, stalling())

    assert seen[-1] == (200, "900")
    assert (answer.status_code, answer.headers["upload-offset"]) == (204, "900")


async def test_creation_with_all_bytes_is_stored_at_once(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    headers = {**TUS, **BYTES, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": encoded(IMEI=IMEI_ONE)}

    answer = await admin.post(PATH, content=CONTENT, headers=headers)
    state = await admin.get(answer.headers["location"])

    assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(CONTENT)))
    assert state.json()["state"] == "stored"
    record = await one_record(run, shop.client_id)
    assert state.json()["answer"] == [
        {
            "Success": True,
            "Info": "Image uploaded successfully",
            "UniqueGuid": str(record["guid"]),
            "AssetPurityId": record["id"],
        }
    ]
    assert len(objects_of(run)) == 1


async def test_creation_with_some_bytes_goes_on_behind_them(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    headers = {**TUS, **BYTES, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": encoded(SerialNumber="C-1")}

    begun = await admin.post(PATH, content=CONTENT[:100], headers=headers)
    ended = await send(admin, begun.headers["location"], 100, CONTENT[100:])

    assert (begun.headers["upload-offset"], ended.status_code) == ("100", 204)
    assert (await one_record(run, shop.client_id))["total_bytes"] == len(CONTENT)


async def test_empty_file_follows_the_rules_of_empty_files(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    kept = await begin(admin, b"", SerialNumber="C-1")
    refused = await begin(admin, b"", SerialNumber="C-1", VerifyFileSize="true")

    assert (kept.status_code, kept.headers["upload-offset"]) == (201, "0")
    assert (await one_record(run, shop.client_id))["rejection_reason"] == "ZeroBytes"
    assert (refused.status_code, refused.json()["detail"]) == (400, "Image saved with 0 bytes")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"SerialNumber": "nowhere"}, "Asset not found: nowhere"),
        ({"filename": "x.jpg"}, "StoreNumber or Asset Serial# is required"),
        ({"SerialNumber": "C-OLD"}, "Asset C-OLD is Inactive"),
        ({"SerialNumber": "C-1", "BeforeAfterImage": "7"}, "BeforeAfterImage takes 0"),
    ],
)
async def test_what_the_end_would_refuse_is_refused_at_the_beginning(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, metadata: dict[str, str], words: str
) -> None:
    answer = await begin(admin, **metadata)

    assert (answer.status_code, answer.headers["tus-resumable"]) == (400, "1.0.0")
    assert answer.json()["detail"].startswith(words)
    assert await nothing_kept(run, shop.client_id)
    assert await rows(run, shop.client_id, "resumable_upload", "guid") == []


async def test_what_is_no_picture_is_refused_with_the_published_words(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    broken = CONTENT[:-100]
    place = (await begin(admin, broken)).headers["location"]

    answer = await send(admin, place, 0, broken)
    state = await admin.get(place)

    assert (answer.status_code, answer.json()["detail"]) == (400, "Image is corrupted")
    assert state.json()["state"] == "refused"
    assert state.json()["answer"] == [{"Success": False, "Info": "Image is corrupted"}]
    assert await offset_of(admin, place) == (410, None)
    assert [row["file_name"] for row in await rows(run, shop.client_id, "quarantine")] == ["shelf.jpg"]


async def test_cooler_that_became_inactive_meanwhile_refuses_the_end(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    place = (await begin(admin)).headers["location"]
    await send(admin, place, 0, CONTENT[:500])
    async with run.database.scope(shop.client_id) as connection:
        await connection.execute("UPDATE asset SET is_active = false WHERE serial_number = 'C-1'")

    answer = await send(admin, place, 500, CONTENT[500:])

    assert (answer.status_code, answer.json()["detail"]) == (400, "Asset C-1 is Inactive")
    assert (await admin.get(place)).json()["answer"] == [{"Success": False, "Info": "Asset C-1 is Inactive"}]
    assert await nothing_kept(run, shop.client_id)


async def test_wrong_offset_changes_nothing(admin: httpx.AsyncClient) -> None:
    place = (await begin(admin)).headers["location"]
    await send(admin, place, 0, CONTENT[:500])

    for offset in (0, 499, 501):
        answer = await send(admin, place, offset, CONTENT[500:])
        assert (answer.status_code, answer.json()["code"]) == (409, "offset_mismatch")
        assert answer.json()["requestId"] == answer.headers["X-Request-ID"] != ""
    assert await offset_of(admin, place) == (200, "500")


async def test_two_requests_with_the_same_bytes_count_once(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    place = (await begin(admin)).headers["location"]

    parts = await asyncio.gather(*(send(admin, place, 0, CONTENT[:500]) for _ in range(4)))
    ends = await asyncio.gather(*(send(admin, place, 500, CONTENT[500:]) for _ in range(4)))

    assert sorted(answer.status_code for answer in parts) == [204, 409, 409, 409]
    assert {answer.status_code for answer in ends} <= {204, 409}
    assert 204 in {answer.status_code for answer in ends}
    assert len(await rows(run, shop.client_id)) == 1
    assert len(objects_of(run)) == 1


async def test_last_request_sent_again_gets_the_same_answer(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    place = (await begin(admin)).headers["location"]
    first = await send(admin, place, 0, CONTENT)

    again = await send(admin, place, len(CONTENT), b"")

    assert again.headers["x-upload-answer"] == first.headers["x-upload-answer"]
    assert len(await rows(run, shop.client_id)) == 1


async def test_more_bytes_than_announced_are_refused(admin: httpx.AsyncClient) -> None:
    place = (await begin(admin)).headers["location"]

    async def unannounced() -> AsyncIterator[bytes]:
        yield CONTENT
        yield b"x"

    for content in (CONTENT + b"x", unannounced()):
        assert (await send(admin, place, 0, content)).status_code == 413
    assert await offset_of(admin, place) == (200, "0")


async def test_wrong_checksum_throws_the_request_away(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    place = (await begin(admin)).headers["location"]

    wrong = await send(admin, place, 0, CONTENT[:500], Upload_Checksum=sha1(b"other"))
    unknown = await send(admin, place, 0, CONTENT[:500], Upload_Checksum="crc7 AAAA")
    right = await send(admin, place, 0, CONTENT[:500], Upload_Checksum=sha1(CONTENT[:500]))
    spoilt_end = await send(admin, place, 500, CONTENT[500:], Upload_Checksum=sha1(b""))

    assert (wrong.status_code, unknown.status_code, right.status_code, spoilt_end.status_code) == (460, 400, 204, 460)
    assert await offset_of(admin, place) == (200, "500")
    assert await rows(run, shop.client_id) == []
    assert (await send(admin, place, 500, CONTENT[500:], Upload_Checksum=sha1(CONTENT[500:]))).status_code == 204


async def test_ended_upload_leaves_nothing(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    place = (await begin(admin)).headers["location"]
    await send(admin, place, 0, CONTENT[:500])
    assert len(objects_of(run)) == 1

    ended = await admin.delete(place, headers=TUS)

    assert ended.status_code == 204
    assert await offset_of(admin, place) == (410, None)
    assert (await send(admin, place, 500, CONTENT[500:])).status_code == 410
    assert await nothing_kept(run, shop.client_id)


async def test_stored_upload_cannot_be_ended(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    place = (await begin(admin)).headers["location"]
    await send(admin, place, 0, CONTENT)

    assert (await admin.delete(place, headers=TUS)).status_code == 409
    assert len(await rows(run, shop.client_id)) == 1


async def test_upload_expires_and_the_sweep_deletes_it(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop, clock: FakeClock
) -> None:
    begun = await begin(admin)
    place = begun.headers["location"]
    clock.advance(timedelta(hours=23))
    await send(admin, place, 0, CONTENT[:500])
    clock.advance(timedelta(hours=23))
    assert await sweep(app.state.run) == 0
    alive = await offset_of(admin, place)
    clock.advance(timedelta(hours=1))
    expired = await send(admin, place, 500, CONTENT[500:])
    swept = await sweep(app.state.run)

    assert begun.headers["upload-expires"] == "Sun, 22 Nov 2026 08:30:00 GMT"
    assert (alive, expired.status_code, swept) == ((200, "500"), 410, 1)
    assert await offset_of(admin, place) == (404, None)
    assert await nothing_kept(run, shop.client_id)


async def test_credential_has_a_bounded_number_of_open_uploads(
    admin: httpx.AsyncClient, set_up: Callable[..., None]
) -> None:
    set_up(max_open_uploads=2)
    places = [(await begin(admin)).headers["location"] for _ in range(2)]

    refused = await begin(admin)
    await send(admin, places[0], 0, CONTENT)
    again = await begin(admin)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_uploads")
    assert again.status_code == 201


async def test_file_larger_than_the_limit_is_refused_before_it_is_sent(
    admin: httpx.AsyncClient, set_up: Callable[..., None]
) -> None:
    set_up(max_body_bytes=5000)

    answer = await admin.post(PATH, headers={**TUS, "Upload-Length": "5001", "Upload-Metadata": encoded(IMEI="1")})

    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "Upload-Length is 5,001; a file has at most 5,000 bytes.",
    )


async def test_fault_of_the_store_leaves_the_upload_to_be_tried_again(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, shop: Shop
) -> None:
    place = (await begin(admin)).headers["location"]
    await send(admin, place, 0, CONTENT[:500])
    app.state.run = replace(app.state.run, objects=FaultyStore(run.objects, fail_commits=1))

    failed = await send(admin, place, 500, CONTENT[500:])
    stands = await offset_of(admin, place)
    done = await send(admin, place, 500, CONTENT[500:])

    assert (failed.status_code, stands, done.status_code) == (500, (200, "500"), 204)
    assert len(await rows(run, shop.client_id)) == 1
    assert len(objects_of(run)) == 1


async def test_uploads_of_others_cannot_be_found(
    run: Runtime, app: FastAPI, admin: httpx.AsyncClient, stranger: httpx.AsyncClient, shop: Shop
) -> None:
    place = (await begin(admin)).headers["location"]
    async with await signed_in_client(run, app, shop.client_id, "rep", Role.SALES_REP) as rep:
        for other in (stranger, rep):
            answers = [
                await other.head(place, headers=TUS),
                await other.get(place),
                await send(other, place, 0, CONTENT),
                await other.delete(place, headers=TUS),
            ]
            assert [answer.status_code for answer in answers] == [404] * 4
    assert await offset_of(admin, place) == (200, "0")
    assert (await admin.head(f"{PATH}/nothing", headers=TUS)).status_code == 404


async def test_anonymous_caller_is_asked_to_sign_in(nobody: httpx.AsyncClient) -> None:
    assert (await begin(nobody)).status_code == 401
    assert (await nobody.get(f"{PATH}/7b6b1b1e-0000-4000-8000-000000000000")).status_code == 401


async def test_device_uploads_for_its_own_cooler_only(run: Runtime, nobody: httpx.AsyncClient, shop: Shop) -> None:
    token = await add_device_token(run, shop.client_id, shop.devices[IMEI_ONE])
    nobody.headers["Authorization"] = f"Bearer {token}"

    foreign = await begin(nobody, SerialNumber="C-2")
    own = await begin(nobody, SerialNumber="C-1")

    assert (foreign.status_code, foreign.json()["detail"]) == (400, "Asset not found: C-2")
    assert (await send(nobody, own.headers["location"], 0, CONTENT)).status_code == 204


async def test_protocol_is_checked(admin: httpx.AsyncClient) -> None:
    place = (await begin(admin)).headers["location"]
    said = {"Upload-Metadata": encoded(SerialNumber="C-1")}

    version = await admin.head(place, headers={"Tus-Resumable": "0.2.2"})
    kind = await admin.patch(place, content=b"x", headers={**TUS, "Upload-Offset": "0"})
    length = await admin.post(PATH, headers={**TUS, **said, "Upload-Length": "-1"})
    deferred = await admin.post(PATH, headers={**TUS, **said, "Upload-Defer-Length": "1"})
    metadata = await admin.post(PATH, headers={**TUS, "Upload-Length": "1", "Upload-Metadata": "SerialNumber %"})
    doubled = await admin.post(PATH, headers={**TUS, "Upload-Length": "1", "Upload-Metadata": "IMEI MQ==,imei MQ=="})

    assert (version.status_code, version.headers["tus-version"]) == (412, "1.0.0")
    assert kind.status_code == 415
    assert [answer.status_code for answer in (length, deferred, metadata, doubled)] == [400] * 4


async def test_file_name_is_kept_as_far_as_it_can_be_printed(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    place = (await begin(admin, filename="Kühl\0\nregal" + "x" * 300, SerialNumber="C-1")).headers["location"]
    await send(admin, place, 0, CONTENT)

    (file,) = await rows(run, shop.client_id, "picture_file", "number")
    assert file["file_name"] == ("Kühlregal" + "x" * 300)[:250]


async def test_methods_may_travel_in_a_post(admin: httpx.AsyncClient) -> None:
    place = (await begin(admin)).headers["location"]
    headers = {**TUS, **BYTES, "Upload-Offset": "0"}

    sent = await admin.post(place, content=CONTENT[:500], headers={**headers, "X-HTTP-Method-Override": "PATCH"})
    ended = await admin.post(place, headers={**TUS, "X-HTTP-Method-Override": "DELETE"})
    nothing = await admin.post(place, headers=TUS)

    assert (sent.status_code, ended.status_code, nothing.status_code) == (204, 204, 400)


async def test_too_many_waiting_pictures_refuse_new_uploads(run: Runtime, admin: httpx.AsyncClient) -> None:
    async with run.database.system() as connection:
        await connection.execute(
            "INSERT INTO pgqueuer (priority, status, entrypoint, execute_after)"
            " VALUES (0, 'queued', 'x', now() - interval '7 hours')"
        )

    answer = await begin(admin)

    assert (answer.status_code, answer.json()["detail"]) == (429, "Too many pictures wait to be processed")
