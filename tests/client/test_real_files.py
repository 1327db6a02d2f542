"""Exports and imports against the real server."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from coldshelf.client import ImportRefused
from tests.acceptance.installation import Installation
from tests.client.conftest import Shelf


@pytest.fixture
def code() -> str:
    return f"F{uuid4().hex[:8]}"


@pytest.mark.parametrize(("suffix", "begins"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("xml", b"<")])
async def test_export_is_a_file_of_its_kind(
    shelf: Shelf, tmp_path: Path, code: str, suffix: str, begins: bytes
) -> None:
    await shelf.do("save", "Location", {"Code": code, "Name": "Exported", "City": code})
    path = tmp_path / f"outlets.{suffix}"

    done = await shelf.do("export", "Location", path, {"City": code}, fields=["Code", "Name"])

    assert (done.total, done.truncated) == (1, False)
    assert path.read_bytes().startswith((begins, b"Code"))
    assert suffix == "xlsx" or code.encode() in path.read_bytes()


async def test_file_is_checked_imported_and_refused(shelf: Shelf, tmp_path: Path, code: str) -> None:
    good, bad, heading = (tmp_path / f"{name}.csv" for name in ("good", "bad", "heading"))
    await shelf.do("template", "Outlet", heading)
    good.write_text(f"Code,Name,Street\n{code},One,First Street\n")
    bad.write_text("Code,Name,Street\n,Two,Second Street\n")

    checked = await shelf.do("check_file", "Outlet", bad)
    with pytest.raises(ImportRefused) as refused:
        await shelf.do("import_file", "Outlet", bad)
    foreseen = await shelf.do("check_file", "Outlet", good)
    done = await shelf.do("import_file", "Outlet", good)

    assert {"Code", "Name", "Street"} <= set(heading.read_text(encoding="utf-8-sig").splitlines()[0].split(","))
    assert [(cell.row, cell.column) for cell in checked.errors] == [(2, "Code")]
    assert [cell.message for cell in refused.value.report.errors] == ["Missing required field: Code"]
    assert (foreseen.success, foreseen.inserted, done.success, done.total_rows, done.inserted) == (True, 1, True, 1, 1)
    assert (await shelf.do("load", "Location", LocationCode=code)).record["Name"] == "One"


async def test_import_in_the_background_is_waited_for(
    installation: Installation, open_shelf: Callable[..., Shelf], tmp_path: Path, code: str
) -> None:
    path = tmp_path / "outlets.csv"
    path.write_text(f"Code,Name,Street\n{code},One,First Street\n")

    shelf = open_shelf(installation.address, pauses=True)
    done = await shelf.do("import_file", "Outlet", path, background="1")

    assert (done.state, done.total_rows, done.inserted) == ("done", 1, 1)
