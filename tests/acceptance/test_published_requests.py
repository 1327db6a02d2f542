"""The sample requests of the published upload page, sent by curl to a real server."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import Installation, installed
from tests.conftest import PASSWORD
from tests.pictures.uploading import IMEI_ONE, picture

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed")
PATH = "/Controllers/CoolRAPI.ashx?action=uploadImage"


@pytest.fixture(scope="module")
async def house() -> AsyncIterator[Installation]:
    async with installed(workers=0) as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for seed, name in enumerate(("shelf", "left_panel", "right_panel", "center", "left", "right", "outlet", "imei")):
        (folder / f"{name}.jpg").write_bytes(picture(seed))
    (folder / "empty.jpg").touch()
    (folder / "big.jpg").write_bytes(b"x" * (30 * 1024 * 1024))
    (folder / "large.jpg").write_bytes(b"x" * (64 * 1024 * 1024 + 1))
    return folder


async def curl(house: Installation, *arguments: str, user: str = f"admin:{PASSWORD}") -> tuple[int, str]:
    """Run curl; give the HTTP status and the body."""
    sign_in = ["-u", user] if user else []
    process = await asyncio.create_subprocess_exec(
        str(CURL), "-sS", "-w", "\n%{http_code}", *sign_in, *arguments, stdout=asyncio.subprocess.PIPE, cwd="/"
    )
    output, _ = await process.communicate()
    body, _, status = output.decode().rpartition("\n")
    assert process.returncode == 0, (process.returncode, output, house.log[-2000:])
    return int(status), body


def entries(answer: tuple[int, str]) -> list[dict[str, Any]]:
    status, body = answer
    assert status == 200, body
    results: list[dict[str, Any]] = json.loads(body)
    assert all(result["Success"] for result in results), body
    return results


async def record(house: Installation, picture_id: int) -> dict[str, Any]:
    (row,) = await house.fetch(f"SELECT * FROM picture WHERE id = {int(picture_id)}")
    return dict(row)


async def test_sample_url_with_everything_in_the_query(house: Installation, files: Path) -> None:
    query = (
        "?StoreNumber=STORE-042&SceneType=ProductAnalysis&action=uploadImage&IsStitchImage=False"
        f"&SerialNumber=XYZ789&ImageReceivedFrom=2&IMEI={IMEI_ONE}"
    )
    (entry,) = entries(
        await curl(house, f"{house.address}/Controllers/CoolRAPI.ashx{query}", "-F", f"file=@{files}/shelf.jpg")
    )

    row = await record(house, entry["AssetPurityId"])
    assert (row["serial_number"], row["store_number"], row["source_name"]) == ("XYZ789", "STORE-042", "StoreBuddy")
    assert row["notes"] == f"IMEI {IMEI_ONE} belongs to asset C-1; the serial number was used"


async def test_standard_single_upload(house: Installation, files: Path) -> None:
    form = ("-F", "SerialNumber=XYZ789", "-F", "SceneType=ProductAnalysis", "-F", "ImageReceivedFrom=1")
    (entry,) = entries(await curl(house, house.address + PATH, *form, "-F", f"file=@{files}/left.jpg"))

    assert list(entry) == ["Success", "Info", "UniqueGuid", "AssetPurityId"]
    assert entry["Info"] == "Image uploaded successfully"
    assert (await record(house, entry["AssetPurityId"]))["serial_number"] == "XYZ789"


async def test_multi_image_stitched_upload(house: Installation, files: Path) -> None:
    form = ("-F", "SerialNumber=XYZ789", "-F", "IsStitchImage=true")
    panels = ("-F", f"a=@{files}/left_panel.jpg", "-F", f"b=@{files}/right_panel.jpg")
    (entry,) = entries(await curl(house, house.address + PATH, *form, *panels))

    row = await record(house, entry["AssetPurityId"])
    assert (row["is_stitched"], row["file_count"]) == (True, 2)


async def test_grid_ordered_stitched_upload(house: Installation, files: Path) -> None:
    form = ("-F", "SerialNumber=XYZ789", "-F", "GridOrder=2,1,3")
    parts = [part for name in ("center", "left", "right") for part in ("-F", f"file=@{files}/{name}.jpg")]
    (entry,) = entries(await curl(house, house.address + PATH, *form, *parts))

    places = await house.fetch(
        f"SELECT file_name, place FROM picture_file WHERE picture_id = {entry['AssetPurityId']} ORDER BY place"
    )
    assert [tuple(row) for row in places] == [("left.jpg", 1), ("center.jpg", 2), ("right.jpg", 3)]


async def test_upload_by_outlet_code_and_by_imei(house: Installation, files: Path) -> None:
    (by_outlet,) = entries(
        await curl(house, house.address + PATH, "-F", "StoreNumber=STORE-042", "-F", f"file=@{files}/outlet.jpg")
    )
    (by_imei,) = entries(
        await curl(house, house.address + PATH, "-F", f"IMEI={IMEI_ONE}", "-F", f"file=@{files}/imei.jpg")
    )

    assert (await record(house, by_outlet["AssetPurityId"]))["serial_number"] == "XYZ789"
    assert (await record(house, by_imei["AssetPurityId"]))["serial_number"] == "C-1"


async def test_error_response(house: Installation, files: Path) -> None:
    answer = await curl(house, house.address + PATH, "-F", "SerialNumber=ASSET-123", "-F", f"f=@{files}/shelf.jpg")

    assert answer == (200, '[{"Success":false,"Info":"Asset not found: ASSET-123"}]')


async def test_refusals_reach_a_caller_who_is_still_sending(house: Installation, files: Path) -> None:
    """Without Expect: 100-continue curl sends on; an answer before the end must not be lost in a cut connection."""
    plain = ("-H", "Expect:")
    large = ("-F", f"file=@{files}/large.jpg")
    form = ("-H", "Content-Type: multipart/form-data")

    big = ("-F", f"file=@{files}/big.jpg")
    status, body = await curl(house, house.address + PATH, *plain, *big, user="")
    assert (status, "Sign-in is needed" in body) == (401, True)
    status, body = await curl(house, house.address + PATH, *plain, *large)
    assert (status, "larger than 67,108,864 bytes" in body) == (413, True)
    status, body = await curl(house, house.address + PATH, *plain, *form, "--data-binary", f"@{files}/center.jpg")
    assert (status, json.loads(body)[0]["Info"]) == (200, "The Content-Type multipart/form-data has no boundary")
    many = [part for _ in range(21) for part in ("-F", f"file=@{files}/center.jpg")]
    status, body = await curl(house, house.address + PATH, *plain, *many)
    assert (status, json.loads(body)[0]["Info"]) == (413, "The upload has more than 20 files")


async def test_chunked_upload_is_taken_and_bounded(house: Installation, files: Path) -> None:
    chunked = ("-H", "Transfer-Encoding: chunked", "-H", "Content-Type: image/jpeg", "-T")
    url = f"{house.address}{PATH}&SerialNumber=C-2"

    entries(await curl(house, "-X", "POST", url, *chunked, f"{files}/shelf.jpg"))
    status, body = await curl(house, "-X", "POST", url, *chunked, f"{files}/large.jpg")
    assert (status, json.loads(body)) == (
        413,
        [{"Success": False, "Info": "The request body is larger than 67,108,864 bytes."}],
    )


async def test_sample_login_cookie_uploads(house: Installation, files: Path, tmp_path: Path) -> None:
    jar = str(tmp_path / "jar")
    origin = ("-H", f"Origin: {house.address}")
    login = f"{house.address}/Controllers/Login.ashx"
    status, body = await curl(house, login, "-c", jar, "-d", "Username=admin", "-d", f"Password={PASSWORD}", user="")
    assert (status, json.loads(body)) == (200, {"success": True})

    entries(
        await curl(
            house,
            f"{house.address}{PATH}",
            "-b",
            jar,
            *origin,
            "-F",
            "SerialNumber=C-2",
            "-F",
            f"file=@{files}/center.jpg",
            user="",
        )
    )
    assert house.is_alive()
