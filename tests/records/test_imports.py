"""The import handler around its types: check, templates, background, once-only, and types of one file."""

import asyncio
import io
import multiprocessing
import zipfile
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from python_calamine import CalamineWorkbook

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import imports, registry, runtime
from coldshelf.entrypoints.worker import works_of
from coldshelf.kit.events import EventBus
from coldshelf.kit.ids import ClientId
from coldshelf.kit.queue import work_forever
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kit.web.asgi import equip
from coldshelf.records.imports import working
from coldshelf.records.imports.compiled import Imports
from coldshelf.records.imports.declaration import ImportColumn, ImportType, Part
from coldshelf.records.imports.handler import import_router
from tests.conftest import signed_in_client
from tests.masterdata.import_support import PATH, Importer, as_csv
from tests.records.support import Handler, Json

OUTLET = {"Code": "OUT-1", "Name": "Corner", "Street": "1 Main Street"}
BAD = [{**OUTLET, "Country": "Atlantis", "Latitude": "91"}, {**OUTLET, "Code": "OUT-2", "Name": ""}]


async def test_a_check_writes_nothing_and_says_rule_and_cure_of_each_bad_cell(admin: httpx.AsyncClient) -> None:
    found = await Importer(admin, "Outlet").check(BAD)
    clean = await Importer(admin, "Outlet").check([{**OUTLET, "Market": "East", "Country": "Austria"}])

    assert found["errorCount"] == 3
    assert found["errors"][0] == {
        "row": 2,
        "column": "Latitude",
        "value": "91",
        "message": "Latitude takes -90 to 90",
        "rule": "decimal number; -90 to 90",
        "cure": "Write a number: -90 to 90.",
    }
    assert [(item["row"], item["column"]) for item in found["errors"]] == [
        (2, "Latitude"), (2, "Country"), (3, "Name"),
    ]  # fmt: skip
    assert all(item["cure"] for item in found["errors"])
    assert (clean["success"], clean["toInsert"], clean["toUpdate"], clean["errors"]) == (True, 1, 0, [])
    for name in ("Location", "Market", "Country", "ImportRun"):
        assert await Handler(admin, name).records() == [], name


async def test_a_check_gives_the_file_back_with_its_bad_cells_marked(admin: httpx.AsyncClient) -> None:
    rows = [{**BAD[0], "Notes": '=HYPERLINK("http://evil.example","x")'}, BAD[1]]

    answer = await Importer(admin, "Outlet").post(as_csv(rows), check=1, format="xlsx")

    assert answer.headers["content-disposition"] == 'attachment; filename="Outlet-checked.xlsx"'
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    heading, *data = book.get_sheet_by_name("Data").to_python()
    assert heading == list(rows[0])
    assert [row[0] for row in data] == ["OUT-1", "OUT-2"]
    assert book.get_sheet_by_name("Problems").to_python()[1][:4] == [
        2, "Latitude", "91", "Latitude takes -90 to 90",
    ]  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        comments = archive.read("xl/comments1.xml").decode()
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "Latitude takes -90 to 90" in comments
    assert 'ref="E2"' in comments
    assert "<f>" not in sheet


@pytest.mark.parametrize("kind", [item.type.name for item in imports()])
async def test_every_template_is_read_back_by_its_own_type(admin: httpx.AsyncClient, kind: str) -> None:
    workbook = await admin.get(PATH, params={"action": "template", "type": kind})
    text = await admin.get(PATH, params={"action": "template", "type": kind, "format": "csv"})
    found = imports().find(kind)
    assert found

    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook.content))
    checked = await Importer(admin, kind).file(text.content, check=1)

    names = [rules.name for rules in found.columns]
    assert book.sheet_names == ["Data", "Rules"]
    assert book.get_sheet_by_name("Data").to_python()[0] == names
    assert [row[0] for row in book.get_sheet_by_name("Rules").to_python()][1 : len(names) + 1] == names
    assert text.content.decode("utf-8-sig").splitlines()[0].split(",")[0] == names[0]
    # Only what the example refers to is missing in an empty house.
    assert {item["rule"].split(" known ")[0] for item in checked["errors"]} <= {"must be a"}
    assert checked["warnings"] == []


async def test_what_is_asked_wrongly_is_said(admin: httpx.AsyncClient) -> None:
    content = {"file": ("a.csv", as_csv([OUTLET]))}

    unknown = await admin.post(PATH, params={"type": "Shop"}, files=content)
    missing = await admin.post(PATH, params={"type": "Outlet"}, data={"x": "y"})
    action = await admin.get(PATH, params={"action": "import", "type": "Outlet"})
    nothing = await admin.get(PATH, params={"action": "status", "id": "x"})

    assert unknown.json()["info"].startswith(
        "There is no import type 'Shop'. Send type= one of AssetType, User, Outlet"
    )
    assert "field `file`" in missing.json()["info"]
    assert (unknown.status_code, missing.status_code) == (200, 200)
    assert (action.status_code, nothing.status_code) == (400, 404)
    assert action.json()["success"] is False


async def test_a_file_larger_than_any_body_may_be_is_refused(admin: httpx.AsyncClient, run: Runtime) -> None:
    answer = await Importer(admin, "Outlet").post(b"x" * (run.settings.max_body_bytes + 1))

    assert answer.status_code == 413


async def test_an_import_with_an_idempotency_key_is_done_once(admin: httpx.AsyncClient) -> None:
    request: Json = {
        "params": {"type": "ImportOutletAction"},
        "files": {"file": ("a.csv", b"Outlet Code,Outlet Action\nOUT-1,Refill\n")},
        "headers": {"Idempotency-Key": "k1"},
    }
    await Importer(admin, "Outlet").done([OUTLET])

    first = await admin.post(PATH, **request)
    second = await admin.post(PATH, **request)
    request["files"] = {"file": ("a.csv", b"Outlet Code,Outlet Action\nOUT-1,Clean\n")}
    other = await admin.post(PATH, **request)

    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert len(await Handler(admin, "OutletAction").records()) == 1


async def test_the_file_is_kept_with_its_hash_and_who_sent_it(admin: httpx.AsyncClient, run: Runtime) -> None:
    content = as_csv([OUTLET])

    await Importer(admin, "Outlet").file(content, "outlets of May.csv")

    (record,) = await Handler(admin, "ImportRun").records()
    assert run.objects.get(record["ObjectKey"]) == content
    assert (record["FileName"], record["FileSize"], record["Source"]) == ("outlets of May.csv", len(content), "request")
    assert (record["State"], record["Inserted"], record["CreatedByUser"]) == ("done", 1, "admin")


async def test_two_imports_of_the_same_new_records_at_once_both_end_well(admin: httpx.AsyncClient) -> None:
    rows = [{**OUTLET, "Code": f"OUT-{number}", "Market": "East"} for number in range(20)]

    answers = await asyncio.gather(*(Importer(admin, "Outlet").rows(rows) for _ in range(4)))

    assert [answer["success"] for answer in answers] == [True] * 4
    assert sum(answer["inserted"] for answer in answers) == 20
    assert (await Handler(admin, "Location").page())["totalRecords"] == 20
    assert (await Handler(admin, "Market").page())["totalRecords"] == 1


# --- In the background


async def _state(http: httpx.AsyncClient, import_id: str) -> Json:
    return dict((await http.get(PATH, params={"action": "status", "id": import_id})).json())


async def _until(http: httpx.AsyncClient, import_id: str, states: set[str]) -> Json:
    async with asyncio.timeout(200):
        while (state := await _state(http, import_id))["state"] not in states:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.1)
    return state


async def _work(run: Runtime, url: str, admin: httpx.AsyncClient, import_id: str) -> Json:
    """Let a worker work until the import has ended."""
    stop = asyncio.Event()
    worker = asyncio.create_task(work_forever(url, works_of(run), lease=timedelta(seconds=2), concurrency=1, stop=stop))
    try:
        return await _until(admin, import_id, {"done", "failed"})
    finally:
        stop.set()
        await worker


async def test_an_import_in_the_background_is_done_by_a_worker(
    admin: httpx.AsyncClient, run: Runtime, url: str
) -> None:
    rows = [{**OUTLET, "Code": f"OUT-{number}"} for number in range(30)]

    waiting = await Importer(admin, "Outlet").rows(rows, background=1)
    before = await Handler(admin, "Location").records()
    state = await _work(run, url, admin, waiting["importId"])

    assert {**waiting, "importId": ""} == {"success": True, "importId": "", "type": "Outlet", "state": "waiting"}
    assert before == []
    assert (state["state"], state["totalRows"], state["inserted"], state["errors"]) == ("done", 30, 30, [])
    outlet = (await Handler(admin, "Location").records())[0]
    assert (outlet["CreatedByUser"], outlet["CreatedByUserId"]) == ("admin", 1)
    assert (await Importer(admin, "Outlet").undo(waiting["importId"]))["removed"] >= 30


async def test_a_bad_file_in_the_background_ends_with_its_errors(
    admin: httpx.AsyncClient, run: Runtime, url: str
) -> None:
    waiting = await Importer(admin, "Outlet").rows(BAD, background=1)

    state = await _work(run, url, admin, waiting["importId"])

    assert (state["success"], state["state"], state["errorCount"]) == (False, "failed", 3)
    assert state["errors"][2]["message"] == "Missing required field: Name"
    assert await Handler(admin, "Location").records() == []


async def test_a_step_that_runs_twice_imports_once(admin: httpx.AsyncClient, run: Runtime, url: str) -> None:
    """As when a worker dies after its effect, or is thought dead: the second run finds the step done."""
    await Importer(admin, "Outlet").done([OUTLET])
    actions = [{"Outlet Code": "OUT-1", "Outlet Action": "Refill"}]
    await Importer(admin, "ImportOutletAction").rows(actions, background=1)
    async with run.database.system() as connection:
        payload = await connection.fetchval("SELECT payload FROM pgqueuer WHERE entrypoint = 'records.import'")

    bus: EventBus = run.events
    await asyncio.gather(bus.perform(run, payload), bus.perform(run, payload))
    await bus.perform(run, payload)

    assert len(await Handler(admin, "OutletAction").records()) == 1


def _killed_worker(url: str, data_dir: str) -> None:
    """Begin the import and hang before its effect; the parent kills this process."""

    async def hang(*_: object, **__: object) -> None:
        await asyncio.sleep(600)

    async def work() -> None:
        working.finish = hang  # type: ignore[assignment]
        async with runtime(load_settings(data_dir=data_dir), url, migrate=False) as run:
            never = asyncio.Event()
            await work_forever(url, works_of(run), lease=timedelta(seconds=2), concurrency=1, stop=never)

    asyncio.run(work())


async def test_an_import_whose_worker_was_killed_is_begun_again(
    admin: httpx.AsyncClient, run: Runtime, url: str
) -> None:
    await Importer(admin, "Outlet").done([OUTLET])
    actions = [{"Outlet Code": "OUT-1", "Outlet Action": "Refill"}]
    waiting = await Importer(admin, "ImportOutletAction").rows(actions, background=1)
    killed = multiprocessing.get_context("spawn").Process(target=_killed_worker, args=(url, str(run.settings.data_dir)))
    killed.start()
    await _until(admin, waiting["importId"], {"checking"})
    killed.kill()
    killed.join()

    state = await _work(run, url, admin, waiting["importId"])

    assert (state["state"], state["inserted"]) == ("done", 1)
    assert len(await Handler(admin, "OutletAction").records()) == 1


async def test_large_files_go_to_the_background_by_themselves(admin: httpx.AsyncClient, run: Runtime) -> None:
    content = as_csv([OUTLET]) + b"\n" * run.settings.import_background_bytes

    waiting = await Importer(admin, "Outlet").file(content)
    at_once = await Importer(admin, "Outlet").file(content, background=0)

    assert waiting["state"] == "waiting"
    assert at_once["inserted"] == 1


# --- A new type


ROUTES = ImportType(
    name="Route",
    title="Routes",
    main="route",
    parts=(Part(name="route", entity="Route", keys=(("Name",),)),),
    columns=(
        ImportColumn(name="Route", sets="Name", required=True),
        ImportColumn(name="Route Code", alias="RouteCode", sets="Code"),
    ),
)


async def test_a_new_type_is_one_declaration_and_one_name(run: Runtime, client_id: ClientId) -> None:
    app = FastAPI()
    app.state.run = run
    app.include_router(import_router(Imports(registry(), (ROUTES,))))
    equip(app, max_body_bytes=1_000_000)

    async with await signed_in_client(run, app, client_id, "planner", Role.CLIENT_ADMIN) as http:
        done = await Importer(http, "route").rows([{"Route": "North", "RouteCode": "N"}])
        refused = await Importer(http, "Route").rows([{"Route": "South", "Route Code": "n"}])
        template = await http.get(PATH, params={"action": "template", "type": "Route", "format": "csv"})

    assert done["inserted"] == 1
    assert refused["errors"][0]["message"] == "Route Code 'n' cannot be used: another Route has it"
    assert template.text.lstrip("\ufeff").splitlines()[0] == "Route,Route Code"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ((ImportColumn(name="A", sets="Nothing"),), "which Route has not"),
        ((ImportColumn(name="A", sets="Name"), ImportColumn(name="B", alias="a", sets="Code")), "twice"),
        ((ImportColumn(name="A", sets="Name", max_length=9999),), "keeps 150"),
        ((ImportColumn(name="A", sets="Code"),), "no column sets a key"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused_at_the_start(columns: tuple[ImportColumn, ...], says: str) -> None:
    declared = ImportType(name="X", title="X", main="route", parts=ROUTES.parts, columns=columns)

    with pytest.raises(ValueError, match=says):
        Imports(registry(), (declared,))
