"""From a stored upload to redacted renditions, or to a visible end (contract 2.4 and 4.1)."""

import asyncio
import io
import struct
import zlib
from dataclasses import replace
from datetime import timedelta

import cv2
import httpx
import numpy as np
from PIL import Image
from tests.pictures.uploading import Shop, accepted, objects_of, one_record, picture, rows, upload, work_off

from coldshelf.kit.events import EventBus, Handler
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.testing import FaultyStore
from coldshelf.pictures import jobs as picture_jobs
from coldshelf.pictures.imaging.faces import Box
from coldshelf.pictures.models import StoredFile
from coldshelf.pictures.service.prepare import prepare_files

LARGE = (640, 480)


async def prepare(run: Runtime) -> int:
    return await work_off(run, only="pictures.")


async def events_of(run: Runtime, client_id: ClientId) -> list[str]:
    return [row["type"] for row in await rows(run, client_id, "event")]


def broken_inside() -> bytes:
    """A PNG whose chunks are all right and whose compressed pixels are not."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"no zlib stream") + chunk(b"IEND", b"")


async def test_stored_picture_becomes_renditions_and_goes_on_to_recognition(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(size=LARGE), SerialNumber="C-1"))

    assert await prepare(run) == 1

    record = await one_record(run, shop.client_id)
    assert (record["status_id"], record["image_status"]) == (12, "ImageQueueToIR")
    assert (record["width"], record["height"], record["people_found"]) == (*LARGE, 0)
    assert record["people_detector"].startswith("centerface ")
    assert record["prepared_on"] is not None
    renditions = await rows(run, shop.client_id, "rendition")
    assert [(row["kind"], row["width"], row["height"]) for row in renditions] == [
        ("cam1", *LARGE),
        ("stitched", *LARGE),
    ]
    assert all(len(run.objects.get(row["object_key"])) == row["bytes"] for row in renditions)
    assert await events_of(run, shop.client_id) == ["picture.stored", "picture.prepared"]


async def test_second_run_changes_nothing(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(size=LARGE), SerialNumber="C-1"))
    (event,) = await rows(run, shop.client_id, "event")
    payload = b'{"client":%d,"event":"%s","handler":"pictures.prepare"}' % (shop.client_id, str(event["id"]).encode())

    await asyncio.gather(*(run.events.perform(run, payload) for _ in range(5)))
    await run.events.perform(run, payload)

    assert len(await rows(run, shop.client_id, "rendition")) == 2
    assert await events_of(run, shop.client_id) == ["picture.stored", "picture.prepared"]
    assert len(objects_of(run)) == 2, "the original, and one object for both renditions of a single picture"


async def test_picture_is_turned_upright_and_loses_its_metadata(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    turned = io.BytesIO()
    with Image.open(io.BytesIO(picture(size=LARGE))) as image:
        image.save(turned, "JPEG", exif=exif)
    accepted(await upload(admin, turned.getvalue(), SerialNumber="C-1"))

    await prepare(run)

    record = await one_record(run, shop.client_id)
    assert (record["width"], record["height"]) == (LARGE[1], LARGE[0])
    for row in await rows(run, shop.client_id, "rendition"):
        with Image.open(io.BytesIO(run.objects.get(row["object_key"]))) as image:
            assert (image.size, dict(image.getexif())) == ((LARGE[1], LARGE[0]), {})


async def test_files_of_one_picture_stand_in_their_places(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    def plain(colour: tuple[int, int, int]) -> bytes:
        image = np.full((120, 100, 3), colour, np.uint8)
        image[::8] = 0
        return cv2.imencode(".png", image)[1].tobytes()

    files = [("center.png", plain((255, 0, 0))), ("left.png", plain((0, 255, 0))), ("right.png", plain((0, 0, 255)))]
    accepted(await upload(admin, *files, SerialNumber="C-1", GridOrder="2,1,3"))

    await prepare(run)

    record = await one_record(run, shop.client_id)
    assert (record["width"], record["height"]) == (300, 120)
    by_kind = {row["kind"]: row for row in await rows(run, shop.client_id, "rendition")}
    assert set(by_kind) == {"cam1", "cam2", "cam3", "stitched"}
    whole = cv2.imdecode(np.frombuffer(run.objects.get(by_kind["stitched"]["object_key"]), np.uint8), cv2.IMREAD_COLOR)
    assert [int(whole[60, x].argmax()) for x in (50, 150, 250)] == [1, 0, 2], "green, blue, red in OpenCV's order"
    first = cv2.imdecode(np.frombuffer(run.objects.get(by_kind["cam1"]["object_key"]), np.uint8), cv2.IMREAD_COLOR)
    assert int(first[60, 50].argmax()) == 1, "cam1 is the leftmost place"


async def test_picture_that_is_broken_inside_is_rejected_with_the_reason(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    for sent in ({"SerialNumber": "C-1"}, {"SerialNumber": "C-1", "SceneType": "POS"}, {"StoreNumber": "MANY"}):
        accepted(await upload(admin, broken_inside(), **sent))

    await prepare(run)

    for record in await rows(run, shop.client_id):
        assert (record["status_id"], record["submission_outcome"]) == (-1, "Rejected")
        assert (record["rejection_reason"], record["prepared_on"]) == ("Image is corrupted", None)
        assert (record["people_detector"], record["people_found"]) == (None, None), "nobody looked"
    assert await rows(run, shop.client_id, "rendition") == []
    assert (await events_of(run, shop.client_id)).count("image.rejected") == 3
    assert "picture.prepared" not in await events_of(run, shop.client_id)


async def test_one_broken_file_rejects_the_whole_combined_picture(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(1, size=LARGE), broken_inside(), SerialNumber="C-1"))

    await prepare(run)

    assert (await one_record(run, shop.client_id))["rejection_reason"] == "Image is corrupted"
    assert await rows(run, shop.client_id, "rendition") == []


async def test_black_picture_is_rejected_and_a_blurred_one_waits(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    black = cv2.imencode(".png", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    coarse = np.random.default_rng(1).integers(0, 255, (6, 8, 3), np.uint8)
    blurred = cv2.imencode(".png", cv2.resize(coarse, LARGE, interpolation=cv2.INTER_CUBIC))[1].tobytes()
    accepted(await upload(admin, black, SerialNumber="C-1"))
    accepted(await upload(admin, blurred, SerialNumber="C-1"))
    accepted(await upload(admin, black, StoreNumber="MANY"))
    accepted(await upload(admin, blurred, StoreNumber="MANY"))
    accepted(await upload(admin, black, SerialNumber="C-1", SceneType="POS"))

    await prepare(run)

    found = [(row["status_id"], row["rejection_reason"]) for row in await rows(run, shop.client_id)]
    assert found == [(-1, "TooDark"), (0, "Blurred"), (-1, "TooDark"), (0, "SeveralAssets"), (2, None)]
    assert "picture.prepared" not in await events_of(run, shop.client_id)


async def test_worst_file_speaks_for_a_combined_picture(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    black = cv2.imencode(".png", np.zeros((480, 640, 3), np.uint8))[1].tobytes()
    accepted(await upload(admin, picture(size=LARGE), black, SerialNumber="C-1"))

    await prepare(run)

    assert (await one_record(run, shop.client_id))["rejection_reason"] == "TooDark"


async def test_picture_that_waits_or_needs_no_analysis_is_redacted_and_goes_no_further(
    run: Runtime, admin: httpx.AsyncClient, shop: Shop
) -> None:
    accepted(await upload(admin, picture(1, size=LARGE), StoreNumber="MANY"))
    accepted(await upload(admin, picture(2, size=LARGE), SerialNumber="C-1", SceneType="AssetView"))

    await prepare(run)

    records = await rows(run, shop.client_id)
    assert [(row["status_id"], row["prepared_on"] is not None) for row in records] == [(0, True), (2, True)]
    assert "picture.prepared" not in await events_of(run, shop.client_id)


async def test_faces_are_blurred_in_every_rendition(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    """The detector is a stand-in at its seam; what it can find is proved in test_faces."""

    class Everywhere:
        name, version, licence = "everywhere", "1", "Apache-2.0"

        def find(self, image: object) -> list[Box]:
            return [Box(100, 100, 300, 300, 0.9)]

    content = picture(size=LARGE)
    accepted(await upload(admin, content, SerialNumber="C-1"))
    (file,) = await rows(run, shop.client_id, "picture_file", "number")
    stored = [StoredFile(1, 1, "a", file["object_key"], b"", len(content))]
    prepared = prepare_files(run.objects, stored, "renditions/x", max_pixels=50_000_000, detector=Everywhere())

    assert (prepared.people_found, prepared.people_detector) == (1, "everywhere 1")
    before = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    for rendition in prepared.renditions:
        after = cv2.imdecode(np.frombuffer(run.objects.get(rendition.object_key), np.uint8), cv2.IMREAD_COLOR)
        inside, outside = np.s_[150:250, 150:250], np.s_[380:480, 400:640]
        assert np.abs(after[inside].astype(int) - before[inside]).mean() > 30
        assert np.abs(after[outside].astype(int) - before[outside]).mean() < 10


def steadfast(run: Runtime, store: FaultyStore) -> Runtime:
    """A worker whose failed steps are due again at once."""
    handlers = tuple(run.events.handlers.values())
    bus = EventBus(run.database, run.clock, handlers, back_off=(timedelta(0), timedelta(0)))
    return replace(run, objects=store, events=bus)


async def test_fault_of_the_disk_is_tried_again(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(size=LARGE), SerialNumber="C-1"))

    await work_off(steadfast(run, FaultyStore(run.objects, fail_reads=1, fail_commits=1)), only="pictures.")

    assert (await one_record(run, shop.client_id))["status_id"] == 12
    (step, *_) = await rows(run, shop.client_id, "event_step", "created_on")
    assert (step["attempts"], step["error"], step["done_on"] is not None) == (2, "", True)
    assert len(await rows(run, shop.client_id, "rendition")) == 2
    assert not [key for key in objects_of(run) if key.startswith(".staging")]


async def test_fault_that_stays_ends_visibly(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(size=LARGE), SerialNumber="C-1"))

    done = await work_off(steadfast(run, FaultyStore(run.objects, fail_reads=-1)), only="pictures.")

    record = await one_record(run, shop.client_id)
    assert (record["status_id"], record["rejection_reason"]) == (-1, "ProcessingFailed")
    assert await events_of(run, shop.client_id) == ["picture.stored", "image.rejected"]
    (step, *_) = await rows(run, shop.client_id, "event_step", "created_on")
    assert (done, step["attempts"], step["given_up_on"] is not None, step["done_on"]) == (3, 3, True, None)
    assert step["error"] == "OSError: [Errno 28] cannot be read"


async def test_lost_bytes_end_visibly_at_once(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    accepted(await upload(admin, picture(size=LARGE), SerialNumber="C-1"))
    for key in objects_of(run):
        run.objects.delete(key)

    assert await prepare(run) == 1

    record = await one_record(run, shop.client_id)
    assert (record["status_id"], record["rejection_reason"]) == (-1, "ProcessingFailed")


async def test_twenty_large_files_fit_into_one_picture(run: Runtime, admin: httpx.AsyncClient, shop: Shop) -> None:
    """Each is brought down to its share before the next one is decoded."""
    small = replace(run, settings=run.settings.model_copy(update={"max_megapixels": 1.0}))
    accepted(await upload(admin, *(picture(n, size=(960, 720)) for n in range(4)), SerialNumber="C-1"))

    await work_off(small, only="pictures.")

    record = await one_record(run, shop.client_id)
    assert record["width"] * record["height"] <= 1_000_000
    by_kind = {row["kind"]: (row["width"], row["height"]) for row in await rows(run, shop.client_id, "rendition")}
    assert {by_kind[f"cam{n}"] for n in range(1, 5)} == {(960, 720)}, "each camera keeps its pixels"


def test_the_room_reacts_to_stored_pictures_only() -> None:
    (handler,) = picture_jobs.HANDLERS
    assert isinstance(handler, Handler)
    assert (handler.name, handler.event_type, handler.give_up is not None) == (
        "pictures.prepare",
        "picture.stored",
        True,
    )
