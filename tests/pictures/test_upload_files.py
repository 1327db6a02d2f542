"""What becomes of the files of an upload: one object a file, or one for all (contract 2.1, 2.2 and 11)."""

import hashlib

import httpx
import pytest
from tests.pictures.uploading import (
    UPLOADED,
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

from coldshelf.kit.runtime import Runtime

pytestmark = pytest.mark.usefixtures("shop")

CUT_OFF = picture(99)[:-20]
GRID = "Files did not match with the grid order"


async def test_answer_has_the_published_keys_in_the_published_order(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    answer = await upload(admin, picture(), SerialNumber="C-1")

    record = await one_record(run, shop.client_id)
    assert answer.text == (
        f'[{{"Success":true,"Info":"{UPLOADED}","UniqueGuid":"{record["guid"]}","AssetPurityId":{record["id"]}}}]'
    )
    assert answer.headers["content-type"] == "application/json"
    assert record["guid"].version == 4


async def test_unstitched_files_get_one_object_each_in_their_order_failures_included(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    files = [("a.jpg", picture(1)), ("b.jpg", CUT_OFF), ("c.txt", b"text"), ("d.jpg", b""), ("e.jpg", picture(5))]
    answer = await upload(admin, *files, SerialNumber="C-1", IsStitchImage="false", VerifyFileSize="true")

    first, cut_off, text, empty, last = answer.json()
    assert (first["Success"], last["Success"]) == (True, True)
    assert cut_off == {"Success": False, "Info": "Image is corrupted"}
    assert text == {"Success": False, "Info": "Image format is not supported: send JPEG, PNG, WebP or HEIC"}
    assert empty == {"Success": False, "Info": "Image saved with 0 bytes"}
    records = await rows(run, shop.client_id)
    assert {record["id"] for record in records} == {first["AssetPurityId"], last["AssetPurityId"]}
    by_id = {
        file["picture_id"]: file["file_name"] for file in await rows(run, shop.client_id, "picture_file", "number")
    }
    assert (by_id[first["AssetPurityId"]], by_id[last["AssetPurityId"]]) == ("a.jpg", "e.jpg")
    assert await jobs(run) == 2


async def test_stitched_files_become_one_picture(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(
        admin,
        ("center", picture(1)),
        ("left", picture(2)),
        ("right", picture(3)),
        SerialNumber="C-1",
        GridOrder="2,1,3",
    )

    (entry,) = accepted(answer)
    record = await one_record(run, shop.client_id)
    assert (record["id"], record["is_stitched"], record["file_count"]) == (entry["AssetPurityId"], True, 3)
    files = await rows(run, shop.client_id, "picture_file", "number")
    assert [(file["number"], file["place"], file["file_name"]) for file in files] == [
        (1, 2, "center"),
        (2, 1, "left"),
        (3, 3, "right"),
    ]
    assert [run.objects.get(file["object_key"]) for file in files] == [picture(1), picture(2), picture(3)]
    assert await jobs(run) == 1


async def test_bad_member_is_named_and_nothing_is_half_stitched(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    for bad, words in (
        (CUT_OFF, "Image is corrupted: left.jpg"),
        (b"text", "Image format is not supported: send JPEG, PNG, WebP or HEIC: left.jpg"),
        (b"", "Image saved with 0 bytes: left.jpg"),
    ):
        answer = await upload(
            admin, ("center.jpg", picture(1)), ("left.jpg", bad), ("right.jpg", picture(3)), SerialNumber="C-1"
        )
        assert info_of(answer) == words

    assert (await rows(run, shop.client_id), await jobs(run)) == ([], 0)
    assert not [key for key in objects_of(run) if key.startswith("originals/")]


async def test_grid_order_that_is_no_permutation_is_refused(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    for order in ("1", "1,2,3", "1,1", "0,1", "2,3", "a,b", "1;2", ",", "1,2,"):
        answer = await upload(admin, picture(1), picture(2), SerialNumber="C-1", GridOrder=order)
        assert (answer.status_code, info_of(answer)) == (200, GRID), order

    assert await nothing_kept(run, shop.client_id)


async def test_grid_order_is_ignored_and_noted_where_nothing_is_stitched(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(1), SerialNumber="C-1", GridOrder="7"))
    accepted(await upload(admin, picture(2), picture(3), SerialNumber="C-1", GridOrder="7", IsStitchImage="False"))

    records = await rows(run, shop.client_id)
    assert [record["notes"] for record in records] == ["GridOrder was ignored: nothing is stitched"] * 3
    assert [record["is_stitched"] for record in records] == [False] * 3


async def test_empty_file_is_accepted_and_rejected_by_its_outcome(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, ("empty.jpg", b""), SerialNumber="C-1"))

    record = await one_record(run, shop.client_id)
    assert (record["status_id"], record["image_status"]) == (-1, "Rejected")
    assert (record["submission_outcome"], record["rejection_reason"], record["total_bytes"]) == (
        "Rejected",
        "ZeroBytes",
        0,
    )
    assert [event["type"] for event in await rows(run, shop.client_id, "event")] == ["image.rejected"]
    assert [step["handler"] for step in await rows(run, shop.client_id, "event_step", "handler")] == [
        "deliveries.image.rejected"
    ]
    assert await jobs(run) == 1


async def test_verified_empty_file_leaves_no_record(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await upload(admin, ("empty.jpg", b""), SerialNumber="C-1", VerifyFileSize="True")

    assert info_of(answer) == "Image saved with 0 bytes"
    assert await nothing_kept(run, shop.client_id)


async def test_undecodable_files_are_kept_in_quarantine(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    for _ in range(2):
        await upload(admin, ("brøken.jpg", CUT_OFF), ("note.txt", b"text"), SerialNumber="C-1", IsStitchImage="no")

    kept = await rows(run, shop.client_id, "quarantine")
    assert [(row["file_name"], row["reason"], row["bytes"]) for row in kept] == [
        ("brøken.jpg", "Image is corrupted", len(CUT_OFF)),
        ("note.txt", "Image format is not supported: send JPEG, PNG, WebP or HEIC", 4),
    ] * 2
    assert [run.objects.get(row["object_key"]) for row in kept] == [CUT_OFF, b"text"] * 2
    assert [row["sha256"] for row in kept[:2]] == [hashlib.sha256(CUT_OFF).digest(), hashlib.sha256(b"text").digest()]
    assert len(objects_of(run)) == 2, "the same bytes of a day are kept once"
    assert await rows(run, shop.client_id) == []


async def test_too_large_a_picture_is_refused_by_its_header(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, set_up: object
) -> None:
    set_up(max_megapixels=0.006)

    answer = await upload(admin, picture(size=(96, 64)), SerialNumber="C-1")

    assert info_of(answer) == "Image has 96 x 64 pixels; the limit is 6,000 pixels"
    assert await nothing_kept(run, shop.client_id)


async def test_every_format_is_taken_by_its_bytes_whatever_its_name(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop, heic: bytes
) -> None:
    contents = [picture(kind=".jpg"), picture(kind=".png"), picture(kind=".webp"), heic]
    for content in contents:
        accepted(await upload(admin, ("picture.bin", content), SerialNumber="C-1"))

    assert [record["total_bytes"] for record in await rows(run, shop.client_id)] == [len(one) for one in contents]


async def test_file_names_of_the_world_are_kept_and_dangerous_ones_tamed(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    boundary = b"b0undary"
    names = {
        "冷蔵庫 🧊.jpg".encode(): "冷蔵庫 🧊.jpg",
        "kühl.jpg".encode("latin-1"): "kühl.jpg",
        b"../../etc/passwd": "../../etc/passwd",
        b"a\x00b\x1b.jpg": "ab.jpg",
        b"x" * 400: "x" * 250,
    }

    for seed, name in enumerate(names):
        head = b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n' % (boundary, name)
        answer = await admin.post(
            "/controllers/coolrapi.ashx?action=uploadImage&SerialNumber=C-1",
            content=head + picture(seed) + b"\r\n--%s--\r\n" % boundary,
            headers={"Content-Type": "multipart/form-data; boundary=b0undary"},
        )
        accepted(answer)

    files = await rows(run, shop.client_id, "picture_file", "picture_id")
    assert [file["file_name"] for file in files] == list(names.values())
    assert all(key.startswith(f"originals/{shop.client_id}/") for key in objects_of(run))


async def test_picture_part_without_a_file_name_is_a_file(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: image/jpeg\r\n\r\n'
    answer = await admin.post(
        "/controllers/coolrapi.ashx?action=uploadImage&SerialNumber=C-1",
        content=head + picture() + b"\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    accepted(answer)


async def test_file_is_taken_under_any_field_name(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    answer = await admin.post(
        "/controllers/coolrapi.ashx?action=uploadImage",
        data={"SerialNumber": "C-1", "IsStitchImage": "false"},
        files={"file": picture(1), "image[]": picture(2), "": picture(3)},
    )

    assert len(accepted(answer)) == 3
    assert len(await rows(run, shop.client_id)) == 3
