"""`coldshelf import`, and watched folders with a worker."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson
import pytest
from python_calamine import CalamineWorkbook
from tests.masterdata.import_support import as_csv
from tests.records.support import Handler, Json
from typer.testing import CliRunner, Result

from coldshelf.entrypoints import cli
from coldshelf.entrypoints.bootstrap import imports
from coldshelf.kit.errors import ColdshelfError, SettingsInvalid
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.records.imports.folders import watch, watched_folders

OUTLET = {"Code": "OUT-1", "Name": "Corner", "Street": "1 Main Street"}
BAD = {**OUTLET, "Latitude": "91"}
Command = Callable[..., Result]


@pytest.fixture
def command(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command `import` on the database of this test, in a thread as a process has no loop of its own yet."""
    monkeypatch.setenv("COLDSHELF_DATABASE_URL", url)
    monkeypatch.setenv("COLDSHELF_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLDSHELF_CLIENT", "demo")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli.build_app(), ["import", *arguments])

    return run


def _file(folder: Path, row: dict[str, str], name: str = "outlets.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_csv([row]))
    return path


async def test_the_command_imports_a_file(admin: httpx.AsyncClient, command: Command, tmp_path: Path) -> None:
    path = _file(tmp_path, OUTLET)

    done = await asyncio.to_thread(command, "outlet", str(path), "--json")
    again = await asyncio.to_thread(command, "Outlet", str(path))

    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["success"], answer["inserted"]) == (0, True, 1)
    assert (again.exit_code, again.stdout.splitlines()[0]) == (0, "1 rows: 0 new, 1 there already")
    assert [item["Code"] for item in await Handler(admin, "Location").records()] == ["OUT-1"]
    runs = await Handler(admin, "ImportRun").records()
    assert [(item["Source"], item["CreatedByUser"]) for item in runs] == [("command", "command line")] * 2


async def test_the_command_tells_bad_cells_in_a_table_and_ends_with_1(
    admin: httpx.AsyncClient, command: Command, tmp_path: Path
) -> None:
    path = _file(tmp_path, BAD)

    refused = await asyncio.to_thread(command, "Outlet", str(path))
    checked = await asyncio.to_thread(
        command, "Outlet", str(path), "--check", "--marked", str(tmp_path / "marked.xlsx"), "--json"
    )

    assert refused.exit_code == 1
    assert "Latitude takes -90 to 90" in refused.stdout
    assert refused.stdout.splitlines()[-1] == "1 bad cells in 1 rows; nothing written"
    assert (checked.exit_code, json.loads(checked.stdout)["errorCount"]) == (1, 1)
    book = CalamineWorkbook.from_path(str(tmp_path / "marked.xlsx"))
    assert book.sheet_names == ["Data", "Problems"]
    assert await Handler(admin, "Location").records() == []


async def test_a_clean_check_ends_with_0_and_writes_nothing(
    admin: httpx.AsyncClient, command: Command, tmp_path: Path
) -> None:
    checked = await asyncio.to_thread(command, "Outlet", str(_file(tmp_path, OUTLET)), "--check")

    assert (checked.exit_code, checked.stdout.splitlines()) == (
        0, ["1 rows: 1 new, 0 there already", "nothing written"],
    )  # fmt: skip
    assert await Handler(admin, "Location").records() == []


async def test_the_command_says_what_it_lacks(command: Command, tmp_path: Path, client_id: int) -> None:
    path = str(_file(tmp_path, OUTLET))

    unknown = await asyncio.to_thread(command, "Shop", path)
    nobody = await asyncio.to_thread(command, "Outlet", path, "--client", "nobody")

    assert isinstance(unknown.exception, ColdshelfError)
    assert isinstance(nobody.exception, ColdshelfError)


# --- Watched folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


@pytest.fixture
def watching(run: Runtime, folder: Path) -> Runtime:
    """The same installation with a watched folder of `demo`."""
    settings = load_settings(data_dir=run.settings.data_dir, import_folders=f"demo={folder}")
    return Runtime(**{**{name: getattr(run, name) for name in Runtime.__slots__}, "settings": settings})


def _settled(path: Path) -> Path:
    os.utime(path, (time.time() - 60,) * 2)
    return path


async def _work_off(run: Runtime) -> None:
    """Do the steps of all files that were taken, as a worker does."""
    async with run.database.system() as connection:
        rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'records.import' ORDER BY id")
        await connection.execute("DELETE FROM pgqueuer WHERE entrypoint = 'records.import'")
    for row in rows:
        await run.events.perform(run, row["payload"])


async def _names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def _outlets(admin: httpx.AsyncClient) -> list[Json]:
    return await Handler(admin, "Location").records()


async def test_a_new_file_is_imported_once_and_moved_to_done(
    admin: httpx.AsyncClient, watching: Runtime, folder: Path
) -> None:
    _settled(_file(folder, OUTLET, "Outlet/may.csv"))
    _settled(_file(folder, {**OUTLET, "Code": "OUT-2"}, "outlet_june.csv"))

    taken = [await watch(watching, imports()), await watch(watching, imports())]
    await _work_off(watching)
    after = [await watch(watching, imports()), await watch(watching, imports())]

    assert (taken, after) == ([2, 0], [0, 0])
    assert [item["Code"] for item in await _outlets(admin)] == ["OUT-1", "OUT-2"]
    assert await _names(folder) == ["done/may.csv", "done/outlet_june.csv"]
    runs = await Handler(admin, "ImportRun").records()
    assert {(item["Source"], item["State"], item["CreatedByUser"]) for item in runs} == {
        ("folder", "done", "watched folder")
    }


async def test_a_bad_file_is_moved_to_failed_with_its_report(
    admin: httpx.AsyncClient, watching: Runtime, folder: Path
) -> None:
    _settled(_file(folder, BAD, "Outlet/bad.csv"))
    _settled(_file(folder, OUTLET, "unknown.csv"))

    await watch(watching, imports())
    await _work_off(watching)
    await watch(watching, imports())

    assert await _names(folder) == [
        "failed/bad.checked.xlsx", "failed/bad.csv", "failed/bad.csv.report.json",
        "failed/unknown.csv", "failed/unknown.csv.report.json",
    ]  # fmt: skip
    report = orjson.loads((folder / "failed" / "bad.csv.report.json").read_bytes())
    assert (report["errorCount"], report["errors"][0]["message"]) == (1, "Latitude takes -90 to 90")
    assert await _outlets(admin) == []


async def test_workers_that_look_at_once_take_a_file_once(
    admin: httpx.AsyncClient, watching: Runtime, folder: Path
) -> None:
    for number in range(5):
        _settled(_file(folder, {**OUTLET, "Code": f"OUT-{number}"}, f"Outlet/{number}.csv"))

    taken = await asyncio.gather(*(watch(watching, imports()) for _ in range(4)))
    await _work_off(watching)
    await asyncio.gather(*(watch(watching, imports()) for _ in range(4)))

    assert sum(taken) == 5
    assert (await Handler(admin, "ImportRun").page())["totalRecords"] == 5
    assert await _names(folder) == [f"done/{number}.csv" for number in range(5)]


async def test_young_hidden_and_linked_files_are_left_alone(
    admin: httpx.AsyncClient, watching: Runtime, folder: Path, tmp_path: Path
) -> None:
    _file(folder, OUTLET, "Outlet/young.csv")
    _settled(_file(folder, OUTLET, "Outlet/.hidden.csv"))
    _settled(_file(folder, OUTLET, "Outlet/part.csv.tmp"))
    (folder / "Outlet" / "linked.csv").symlink_to(_settled(_file(tmp_path, OUTLET)))
    before = await _names(folder)

    assert await watch(watching, imports()) == 0
    assert await _names(folder) == before


async def test_a_folder_in_the_object_store_is_watched(admin: httpx.AsyncClient, run: Runtime) -> None:
    settings = load_settings(data_dir=run.settings.data_dir, import_folders="demo=objects:inbox")
    watching = Runtime(**{**{name: getattr(run, name) for name in Runtime.__slots__}, "settings": settings})
    run.objects.put("inbox/Outlet/may.csv", as_csv([OUTLET]))
    (folder,) = watched_folders(watching)
    _settled(folder.path / "Outlet" / "may.csv")

    await watch(watching, imports())
    await _work_off(watching)
    await watch(watching, imports())

    assert [item["Code"] for item in await _outlets(admin)] == ["OUT-1"]
    assert run.objects.get("inbox/done/may.csv") == as_csv([OUTLET])


async def test_a_folder_without_a_client_stops_nothing(admin: httpx.AsyncClient, run: Runtime, folder: Path) -> None:
    settings = load_settings(data_dir=run.settings.data_dir, import_folders=f"nobody={folder}, demo={folder}")
    watching = Runtime(**{**{name: getattr(run, name) for name in Runtime.__slots__}, "settings": settings})
    _settled(_file(folder, OUTLET, "Outlet/may.csv"))

    assert await watch(watching, imports()) == 1


def test_a_comma_list_of_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLDSHELF_IMPORT_FOLDERS", "demo=/in/demo, other=objects:in")
    monkeypatch.setenv("COLDSHELF_ALLOW_ORIGINS", "https://a.example,https://b.example")

    settings = load_settings()

    assert settings.import_folders == ("demo=/in/demo", "other=objects:in")
    assert settings.allow_origins == ("https://a.example", "https://b.example")


async def test_a_wrong_setting_is_said(run: Runtime) -> None:
    settings = load_settings(data_dir=run.settings.data_dir, import_folders="inbox")
    wrong = Runtime(**{**{name: getattr(run, name) for name in Runtime.__slots__}, "settings": settings})

    with pytest.raises(SettingsInvalid, match="CLIENT=FOLDER"):
        watched_folders(wrong)
