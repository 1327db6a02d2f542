"""Hostile and broken pictures against real processes: a clear answer for each, and bounded memory.

The peaks of memory are printed (`-s`): VmHWM of each process, of the API and of the worker.
"""

import asyncio
import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.acceptance.installation import Installation, installed
from tests.pictures.uploading import UPLOADED, picture

PATH = "/Controllers/CoolRAPI.ashx?action=uploadImage&SerialNumber=C-1"
MIB = 1024 * 1024
CORRUPT, UNKNOWN = "Image is corrupted", "Image format is not supported: send JPEG, PNG, WebP or HEIC"
TOO_LARGE = "Image is too large"
HEIC = Path(__file__).parent.parent / "pictures" / "heic"
MOST_API, MOST_WORKER = 260 * 1024, 1536 * 1024
"""KiB. A worker holds one decoded picture of at most 50 megapixels (150 MB), a few copies of it, and its models."""

TAKEN_AFTER_ALL = {  # odd, and yet pictures
    "pillow_broken_exif_dpi.jpg",
    "pillow_exif_gps.jpg",
    "pillow_exif_typeerror.jpg",
    "pillow_hopper.png",
    "pillow_hopper_orientation_2.webp",
    "pillow_hopper_orientation_5.jpg",
    "pillow_pil_sample_rgb.jpg",
    "pillow_apng_syntax_num_frames_invalid.png",
}


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installed() as running:
        yield running


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, pixels: bytes, *extra: bytes) -> bytes:
    """Put a PNG together (8 bits, RGB) from a compressed stream and further chunks."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), *extra, chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def zeros(count: int) -> bytes:
    """Compress so many zero bytes, a thousand times smaller."""
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(count // MIB)), packer.flush()])


def progressive(scans: int) -> bytes:
    """Make a progressive JPEG whose last scan is repeated."""
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(out, "JPEG", progressive=True)
    whole = out.getvalue()
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def claiming(width: int, height: int) -> bytes:
    """Make a JPEG whose header lies about its size."""
    jpeg = picture()
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def bombs() -> dict[str, tuple[bytes, str]]:
    """Give hostile files and what is answered, by name."""
    small = zlib.compress(bytes(64 * (64 * 3 + 1)))
    rows = b"".join(b"\0" + bytes(3 * 7000) for _ in range(1))
    black = zlib.compress(rows * 7000, 9)
    return {
        "giant.png": (png(100_000, 100_000, small), TOO_LARGE),
        "widest.png": (png(2**31 - 1, 1, small), TOO_LARGE),
        "giant.jpg": (claiming(65_500, 65_500), TOO_LARGE),
        "no_size.png": (png(0, 0, small), CORRUPT),
        "scans.jpg": (progressive(5000), CORRUPT),
        "segments.jpg": (picture()[:2] + b"\xff\xfe\x00\x02" * 70_000 + picture()[2:], CORRUPT),
        "chunks.png": (png(64, 64, small, *[chunk(b"tEXt", b"")] * 70_000), CORRUPT),
        "headless.png": (b"\x89PNG\r\n\x1a\n", CORRUPT),
        "cut.heic": ((HEIC / "plain.heic").read_bytes()[:200], CORRUPT),
        "claims_52_megapixels.heic": (
            (HEIC / "claims_52_megapixels.heic").read_bytes(),
            "Image has 7200 x 7200 pixels; the limit is 50,000,000 pixels",
        ),
        "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", UNKNOWN),
        "page.html": (b"<script>alert(1)</script>", UNKNOWN),
        "archive.zip": (b"PK\x03\x04" + bytes(100), UNKNOWN),
        "nulls.jpg": (bytes(1000), UNKNOWN),
        "inflates_beyond.png": (png(64, 64, zeros(512 * MIB)), UPLOADED),
        "black_49_megapixels.png": (png(7000, 7000, black), UPLOADED),
        "text_bomb.png": (png(64, 64, small, chunk(b"zTXt", b"a\0\0" + zeros(128 * MIB))), CORRUPT),
        "profile_bomb.png": (png(64, 64, small, chunk(b"iCCP", b"a\0\0" + zeros(128 * MIB))), CORRUPT),
        "pixels_missing.png": (png(64, 64, b"no zlib stream"), UPLOADED),
    }


async def send(house: Installation, name: str, content: bytes) -> dict[str, Any]:
    async with house.http() as http:
        answer = await http.post(PATH, files={"file": (name, content)})
    assert answer.status_code == 200, (name, answer.text)
    (entry,) = json.loads(answer.content)
    return dict(entry)


def tell(house: Installation, when: str) -> tuple[int, int]:
    """Print the peaks; give those of the API and of the worker, the largest process of each, in KiB."""
    peaks = {name: house.peak_memory(name) for name in ("api", "worker 1")}
    print(f"\n{when}: " + "; ".join(f"{name} {tree}" for name, tree in peaks.items()))
    return max(peaks["api"].values()), max(peaks["worker 1"].values())


async def test_bad_sample_pictures_get_a_clear_answer(house: Installation, samples: Path) -> None:
    folder = samples / "bad_images"
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            continue
        entry = await send(house, path.name, path.read_bytes())
        if path.name in TAKEN_AFTER_ALL:
            assert entry["Success"] is True, (path.name, entry)
        else:
            assert entry["Success"] is False, path.name
            assert entry["Info"] in {CORRUPT, UNKNOWN, TOO_LARGE}, (path.name, entry)

    await house.settle()
    assert house.is_alive()
    ends = await house.fetch(
        "SELECT file_name, status_id, rejection_reason FROM picture p JOIN picture_file f ON f.picture_id = p.id"
    )
    assert {row["file_name"] for row in ends} == TAKEN_AFTER_ALL
    assert {row["status_id"] for row in ends} <= {-1, 0, 13}
    assert not [row for row in ends if row["rejection_reason"] == "ProcessingFailed"]


async def test_bombs_are_answered_and_the_processes_live_on(house: Installation) -> None:
    before = await house.fetch("SELECT count(*) FROM quarantine")
    hostile = bombs()
    for name, (content, words) in hostile.items():
        entry = await asyncio.wait_for(send(house, name, content), timeout=30)
        assert entry["Info"] == words, name

    await house.settle()
    api, worker = tell(house, "after bombs")
    assert house.is_alive()
    assert (api < MOST_API, worker < MOST_WORKER) == (True, True)
    ends = await house.fetch(
        "SELECT file_name, status_id, rejection_reason FROM picture p JOIN picture_file f ON f.picture_id = p.id"
        " WHERE file_name LIKE '%.png' AND file_name NOT LIKE 'pillow%'"
    )
    found = {row["file_name"]: (row["status_id"], row["rejection_reason"]) for row in ends}
    assert found.pop("black_49_megapixels.png") == (-1, "TooDark")
    assert found.pop("pixels_missing.png") == (-1, CORRUPT)
    assert {status for status, _ in found.values()} <= {-1}
    assert "ProcessingFailed" not in {reason for _, reason in found.values()}
    after = await house.fetch("SELECT count(*) FROM quarantine")
    undecodable = [words for _, words in hostile.values() if words in {CORRUPT, UNKNOWN}]
    assert after[0]["count"] - before[0]["count"] == len(undecodable)


async def test_body_of_64_mib_that_is_no_picture_is_refused(house: Installation) -> None:
    async with house.http() as http:
        answer = await http.post(PATH, content=b"\x01" * 64 * MIB, headers={"Content-Type": "image/jpeg"})

    assert answer.json() == [{"Success": False, "Info": UNKNOWN}]
    (kept,) = await house.fetch("SELECT object_key, bytes FROM quarantine ORDER BY id DESC LIMIT 1")
    assert (kept["bytes"], (house.folder / "objects" / kept["object_key"]).stat().st_size) == (64 * MIB, 64 * MIB)


async def test_memory_of_the_api_does_not_grow_with_the_picture(house: Installation) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (5600, 5600, 3), np.uint8)
    large = cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 99])[1].tobytes()
    assert 40 * MIB < len(large) < 64 * MIB
    assert (await send(house, "small.jpg", picture(5)))["Success"]
    before, _ = tell(house, "before a large one")

    assert (await send(house, "large.jpg", large))["Success"]

    after, _ = tell(house, f"after one of {len(large) // MIB} MiB")
    assert after - before < 16 * 1024
    await house.settle()
    api, worker = tell(house, "at the end")
    assert (api < MOST_API, worker < MOST_WORKER) == (True, True)


async def test_good_picture_is_served_after_all_that(house: Installation) -> None:
    entry = await send(house, "good.jpg", picture(6, size=(640, 480)))
    await house.settle()

    async with house.http() as http:
        preview = await http.get("/controllers/CoolerImagePreview.ashx", params={"guid": entry["UniqueGuid"]})
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/jpeg")
    (row,) = await house.fetch(f"SELECT status_id FROM picture WHERE id = {entry['AssetPurityId']}")
    assert row["status_id"] == 13
