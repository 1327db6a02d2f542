"""What the tests of the upload share: pictures, a small shop world, the door, and a look at what was kept."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import cv2
import httpx
import numpy as np
from PIL import Image

from coldshelf.entrypoints.worker import works_of
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime

PATH = "/Controllers/CoolRAPI.ashx"
PREVIEW = "/controllers/CoolerImagePreview.ashx"
UPLOADED = "Image uploaded successfully"
File = tuple[str, bytes]

IMEI_ONE = "352099001761481"
IMEI_TWO = "352099001761482"
IMEI_NOWHERE = "352099001761483"


def picture(seed: int = 1, *, size: tuple[int, int] = (96, 64), kind: str = ".jpg") -> bytes:
    """Make a small picture with structure; another seed gives other bytes. Size is (width, height)."""
    blocks = np.random.default_rng(seed).integers(0, 255, (size[1] // 8, size[0] // 8, 3), np.uint8)
    _, encoded = cv2.imencode(kind, cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST))
    return encoded.tobytes()


def taken(content: bytes, on: datetime | str, offset: str | None = None, *, gps: bool = False) -> bytes:
    """Write DateTimeOriginal (and OffsetTimeOriginal) into a JPEG."""
    exif = Image.Exif()
    text = on if isinstance(on, str) else on.strftime("%Y:%m:%d %H:%M:%S")
    exif.get_ifd(0x8769)[0x9003] = text
    if offset is not None:
        exif.get_ifd(0x8769)[0x9011] = offset
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
    target = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(target, "JPEG", exif=exif, quality=95)
    return target.getvalue()


@dataclass(frozen=True, slots=True)
class Shop:
    """Ids by serial number and by outlet code."""

    client_id: ClientId
    assets: dict[str, int]
    outlets: dict[str, int]
    devices: dict[str, int]


async def open_shop(run: Runtime, client_id: ClientId) -> Shop:
    """ONE has one cooler with a planogram, MANY two, NONE none, OLD an inactive one; C-LOOSE stands nowhere."""
    async with run.database.scope(client_id) as connection:
        kind = await connection.fetchval(
            "INSERT INTO asset_type (client_id, name, doors, columns, shelves, items_per_column)"
            " VALUES ($1, 'T', 2, 8, 4, 6) RETURNING id",
            client_id,
        )
        plan = await connection.fetchval(
            "INSERT INTO planogram (client_id, name) VALUES ($1, 'Plan A') RETURNING id", client_id
        )
        place = [
            await connection.fetchval(
                f"INSERT INTO {table} (client_id, name) VALUES ($1, $2) RETURNING id", client_id, name
            )
            for table, name in (("state", "Oregon"), ("country", "USA"), ("time_zone", "America/Los_Angeles"))
        ]
        outlets = {
            code: await connection.fetchval(
                "INSERT INTO location (client_id, code, name, city, state_id, country_id, time_zone_id)"
                " VALUES ($1, $2, 'Shop ' || $2, 'Springfield', $3, $4, $5) RETURNING id",
                client_id,
                code,
                *place,
            )
            for code in ("ONE", "MANY", "NONE", "OLD", "STORE-042")
        }
        coolers = {
            "C-1": ("ONE", True, plan),
            "C-2": ("MANY", True, None),
            "C-3": ("MANY", True, None),
            "C-OLD": ("OLD", False, None),
            "C-LOOSE": (None, True, None),
            "XYZ789": ("STORE-042", True, None),
        }
        assets = {
            serial: await connection.fetchval(
                "INSERT INTO asset (client_id, serial_number, asset_type_id, location_id, is_active, planogram_id)"
                " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                client_id,
                serial,
                kind,
                outlets[outlet] if outlet else None,
                is_active,
                planogram,
            )
            for serial, (outlet, is_active, planogram) in coolers.items()
        }
        mapped = {IMEI_ONE: "C-1", IMEI_TWO: "C-2", IMEI_NOWHERE: None}
        devices = {
            imei: await connection.fetchval(
                "INSERT INTO smart_device (client_id, serial_number, imei, asset_id) VALUES ($1, $2, $2, $3)"
                " RETURNING id",
                client_id,
                imei,
                assets[serial] if serial else None,
            )
            for imei, serial in mapped.items()
        }
    return Shop(client_id, assets, outlets, devices)


async def upload(
    http: httpx.AsyncClient,
    *files: File | bytes,
    query: Mapping[str, object] | Sequence[tuple[str, object]] | None = None,
    path: str = PATH,
    headers: Mapping[str, str] | None = None,
    **form: object,
) -> httpx.Response:
    """Upload; keyword parameters go into the form, `action` into the query unless a query is given."""
    named = [file if isinstance(file, tuple) else (f"shelf_{n}.jpg", file) for n, file in enumerate(files, 1)]
    chosen = {"action": "uploadImage"} if query is None else query
    return await http.post(
        f"{path}?{urlencode(chosen)}",
        data={name: str(value) for name, value in form.items()},
        files=[("file", file) for file in named] or [("none", ("", b""))],
        headers=dict(headers or {}),
    )


def info_of(answer: httpx.Response) -> str:
    """Give the Info of a refusal of the whole request; anything else is an error."""
    assert answer.headers["content-type"] == "application/json"
    (entry,) = answer.json()
    assert entry == {"Success": False, "Info": entry["Info"]}
    return str(entry["Info"])


def accepted(answer: httpx.Response) -> list[dict[str, Any]]:
    """Give the entries of an answer in which every file was accepted."""
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = json.loads(answer.content)
    assert all(list(entry) == ["Success", "Info", "UniqueGuid", "AssetPurityId"] for entry in entries), entries
    assert all(entry["Success"] is True and entry["Info"] == UPLOADED for entry in entries), entries
    return entries


async def rows(run: Runtime, client_id: ClientId, table: str = "picture", order: str = "id") -> list[dict[str, Any]]:
    async with run.database.scope(client_id, readonly=True) as connection:
        return [dict(row) for row in await connection.fetch(f"SELECT * FROM {table} ORDER BY {order}")]


async def one_record(run: Runtime, client_id: ClientId) -> dict[str, Any]:
    (record,) = await rows(run, client_id)
    return record


def objects_of(run: Runtime) -> list[str]:
    """Give every key in the object store, what is only staged included."""
    root = Path(run.settings.data_dir) / "objects"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def nothing_kept(run: Runtime, client_id: ClientId) -> bool:
    """Say that there is no record, no object, no staged file, no event and no job."""
    tables = {
        "picture": "id",
        "picture_file": "number",
        "upload_answer": "picture_id",
        "event": "id",
        "quarantine": "id",
    }
    kept = [await rows(run, client_id, table, order) for table, order in tables.items()]
    return not any(kept) and objects_of(run) == [] and await jobs(run) == 0


async def jobs(run: Runtime) -> int:
    async with run.database.system() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM pgqueuer"))


async def work_off(run: Runtime, *, only: str = "") -> int:
    """Perform every job that waits, those that come up meanwhile included; give how many there were."""
    works, done = works_of(run), 0
    while True:
        async with run.database.system() as connection:
            job = await connection.fetchrow(
                "DELETE FROM pgqueuer WHERE id = (SELECT min(id) FROM pgqueuer WHERE entrypoint LIKE $1 || '%')"
                " RETURNING entrypoint, payload",
                only,
            )
        if job is None:
            return done
        await works[job["entrypoint"]](job["payload"], 1)
        done += 1
