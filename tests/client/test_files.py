"""Exports and imports: what is asked for, what comes of it, and that a file is whole or not there."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from coldshelf.client import ImportRefused, NoAnswer, Refused, Retries
from tests.client.conftest import Shelf
from tests.support.receiver import Receiver, answer, receiver

OpenShelf = Callable[..., Shelf]
BAD = {"row": 3, "column": "Outlet Code", "value": "", "message": "Missing required field: Outlet Code"}


def replies(*contents: bytes) -> Callable[[str], bytes]:
    left = list(contents)
    return lambda _: left.pop(0)


def told(body: object, *headers: str) -> bytes:
    return answer(json.dumps(body).encode(), *headers)


def cut(content: bytes) -> bytes:
    """Break off an answer; the receiver closes behind what does not say its length in its own spelling."""
    return content.replace(b"Content-Length", b"content-length")[:-3]


def form(far: Receiver, number: int = -1) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in far.bodies[number].decode().split("&"))


async def test_export_is_written_whole(open_shelf: OpenShelf, tmp_path: Path) -> None:
    content = answer(b"a,b\n1,2\n", "X-Total-Records: 60000", "X-Truncated: true")
    path = tmp_path / "outlets.csv"

    async with receiver(replies(cut(content), content)) as far:
        done = await open_shelf(far.url).do("export", "Location", path, sort="Name")

    assert path.read_bytes() == b"a,b\n1,2\n"
    assert (done.path, done.total, done.truncated) == (path, 60000, True)
    assert list(tmp_path.iterdir()) == [path]
    assert form(far) == {"action": "export", "exportFormat": "CSV", "sort": "Name", "dir": "ASC"}


async def test_export_that_breaks_off_leaves_nothing(open_shelf: OpenShelf, tmp_path: Path) -> None:
    path = tmp_path / "outlets.xlsx"
    path.write_bytes(b"yesterday's")

    async with receiver(cut(answer(b"PK broken off"))) as far:
        with pytest.raises(NoAnswer):
            await open_shelf(far.url, retries=Retries(tries=2)).do("export", "Location", path)

    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"yesterday's", [path])


async def test_refused_export_is_no_file(open_shelf: OpenShelf, tmp_path: Path) -> None:
    refusal = answer(b'{"success":false,"info":"no such field"}', status="400 Bad Request")

    async with receiver(refusal) as far:
        with pytest.raises(Refused, match="no such field"):
            await open_shelf(far.url).do("export", "Location", tmp_path / "outlets.xml")

    assert list(tmp_path.iterdir()) == []


async def test_format_of_an_export_is_known_from_its_name_or_said(open_shelf: OpenShelf, tmp_path: Path) -> None:
    async with receiver() as far:
        shelf = open_shelf(far.url)
        await shelf.do("export", "Location", tmp_path / "outlets.data", file_format="XML")
        with pytest.raises(ValueError, match=r"outlets\.data: name the file"):
            await shelf.do("export", "Location", tmp_path / "outlets.data")

    assert form(far)["exportFormat"] == "XML"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "outlets.csv"
    path.write_text("Outlet Code,Outlet Name\n1,One\n")
    return path


async def test_import_waits_until_it_is_done(open_shelf: OpenShelf, sheet: Path) -> None:
    waiting = {"success": True, "importId": "i1", "state": "waiting"}
    working = waiting | {"state": "checking", "totalRows": 1, "errors": []}
    finished = working | {"state": "done", "inserted": 1, "updated": 0}

    async with receiver(replies(b"", told(waiting), told(working), told(finished))) as far:
        shelf = open_shelf(far.url)
        report = await shelf.do("import_file", "Outlet", sheet, blanks="clear")

    assert (report.success, report.import_id, report.total_rows, report.inserted) == (True, "i1", 1, 1)
    assert far.requests[1].startswith("POST /controllers/import.ashx?type=Outlet ")
    assert far.requests[3].startswith("GET /controllers/import.ashx?action=status&id=i1 ")
    assert sheet.read_bytes() in far.bodies[1]
    assert b'name="blanks"' in far.bodies[1]
    keys = [head.lower().partition("idempotency-key: ")[2][:32] for head in far.requests[:2]]
    assert keys[0] == keys[1] != ""
    assert shelf.waits[1:] == [2.0, 2.0]


async def test_refused_import_has_its_bad_cells(open_shelf: OpenShelf, sheet: Path) -> None:
    refusal = {"success": False, "importId": "i1", "totalRows": 1, "errorCount": 1, "errors": [BAD]}

    async with receiver(told(refusal)) as far:
        with pytest.raises(ImportRefused) as refused:
            await open_shelf(far.url).do("import_file", "Outlet", sheet)

    (cell,) = refused.value.report.errors
    assert (cell.row, cell.column, cell.message) == (3, "Outlet Code", "Missing required field: Outlet Code")
    assert refused.value.info == "outlets.csv: 1 bad cells, nothing was imported"


async def test_check_reports_and_raises_nothing(open_shelf: OpenShelf, sheet: Path) -> None:
    checked = {"success": False, "type": "Outlet", "totalRows": 1, "toInsert": 0, "toUpdate": 0, "errorCount": 1}
    bad = BAD | {"rule": "required", "cure": "Fill it in"}

    async with receiver(told(checked | {"errors": [bad]})) as far:
        report = await open_shelf(far.url).do("check_file", "Outlet", sheet)

    assert (report.success, report.errors[0].rule, report.errors[0].cure) == (False, "required", "Fill it in")
    assert b'name="check"' in far.bodies[0]


async def test_import_of_an_unknown_type_is_refused(open_shelf: OpenShelf, sheet: Path) -> None:
    async with receiver(told({"success": False, "info": "type is 'Shop'"})) as far:
        with pytest.raises(Refused, match="type is 'Shop'"):
            await open_shelf(far.url).do("import_file", "Shop", sheet)
