"""Files of a dataset (`action=export`): what stands in them, what their headers say, and who gets them."""

import asyncio
import csv
import io
import shutil
import tracemalloc
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from python_calamine import CalamineWorkbook

from coldshelf.access.principal import Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import load_settings
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Column
from coldshelf.records.exporting import disposition, export_records, file_name, read_export_request
from coldshelf.records.fields import FieldType
from coldshelf.records.formats import Format
from coldshelf.records.spreadsheet import LONGEST_TEXT, Sheet, fast_writer, write_fast, write_slowly
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler
from tests.records.test_formats import HOSTILE, clean

LONG = "x" * 40_000
FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  # the wide ones count as well


@pytest.fixture
async def outlets(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> Handler:
    """The handler of outlets, one for each hostile text as its name."""
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, len(HOSTILE))
        for number, text in enumerate(HOSTILE, 1):
            await connection.execute("UPDATE location SET name = $1 WHERE code = $2", text, f"L{number}")
    return Handler(admin, "Location")


async def export(handler: Handler, **params: object) -> httpx.Response:
    answer = await handler.http.get(
        handler.path, params={"action": "export", **{name: str(value) for name, value in params.items()}}
    )
    assert answer.status_code == 200, answer.text
    return answer


def sheets(content: bytes) -> dict[str, list[list[Any]]]:  # cells of any type
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def lines_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


async def test_a_csv_file_holds_what_the_list_holds_and_no_formula(outlets: Handler) -> None:
    answer = await export(outlets, exportFormat="csv", fields="Name,Latitude")
    lines = lines_of(answer.content)

    assert answer.headers["content-type"].startswith("text/csv")
    assert lines[0] == ["Name", "Latitude"]
    assert [line[0] for line in lines[1:]] == [f"'{text}" if text.startswith(FORMULAS) else text for text in HOSTILE]
    assert [float(line[1]) for line in lines[1:]] == [float(n % 90) for n in range(1, len(HOSTILE) + 1)]
    assert not [line for line in lines if line[0].startswith(FORMULAS)]


async def test_an_xml_file_holds_what_the_list_holds(outlets: Handler) -> None:
    answer = await export(outlets, exportFormat="XML", fields="Name")

    names = [record.findtext("Name") for record in ET.fromstring(answer.content).findall("records/record")]
    assert names == [clean(text) for text in HOSTILE]


async def test_an_excel_file_holds_texts_numbers_and_times_as_they_are(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    async with run.database.scope(client_id) as connection:
        await connection.execute("UPDATE location SET latitude = -12.345678 WHERE code = 'L1'")
    records = await outlets.records(limit=1000)

    for word in ("XLSX", "excel"):
        found = sheets((await export(outlets, exportFormat=word)).content)

        heading, *rows = found["Data"]
        cells = [dict(zip(heading, row, strict=True)) for row in rows]
        assert heading == [name for name in records[0] if name != "RowNumber"]
        assert [cell["Name"] for cell in cells[:13]] == [record["Name"] for record in records[:13]]
        assert [cell["Name"] for cell in cells[14:]] == HOSTILE[14:]
        assert cells[0]["Latitude"] == -12.345678
        assert [cell["LocationId"] for cell in cells] == [record["LocationId"] for record in records]
        assert {cell["IsActive"] for cell in cells} == {True}
        assert {cell["IsDeleted"] for cell in cells} == {0}
        modified = datetime.fromisoformat(records[0]["ModifiedOn"])
        assert abs((cells[0]["ModifiedOn"] - modified).total_seconds()) < 0.002
        assert dict(found["About"][1:])["Records in this file"] == len(HOSTILE)


async def test_a_file_without_records_has_its_heading(outlets: Handler) -> None:
    nothing = '{"Code": "none"}'

    excel = sheets((await export(outlets, exportFormat="xlsx", filters=nothing, fields="Code,Name")).content)
    text = (await export(outlets, filters=nothing, fields="Code,Name")).content

    assert excel["Data"] == [["Code", "Name"]]
    assert text == b"Code,Name\r\n"


async def test_filters_sort_and_fields_are_those_of_lists(outlets: Handler) -> None:
    await outlets.delete(LocationCode="L3")
    sent = {"fields": "code", "Latitude_To": 5, "sort": "Latitude", "dir": "DESC"}

    plain = await export(outlets, **sent)
    everything = await export(outlets, **sent, includeDeleted=1)
    delta = await export(outlets, fields="Code", filters='{"modifiedOn": {"operator": ">", "value": "2024-08-01"}}')

    assert [line[0] for line in lines_of(plain.content)[1:]] == ["L5", "L4", "L2", "L1"]
    assert [line[0] for line in lines_of(everything.content)[1:]] == ["L5", "L4", "L3", "L2", "L1"]
    assert len(lines_of(delta.content)) == len(HOSTILE) + 1
    assert "x-data-as-of" in delta.headers


async def test_more_than_a_file_holds_is_cut_in_sort_order_and_said(
    run: Runtime, client_id: ClientId, app: Any, outlets: Handler
) -> None:
    app.state.run = run_with(run, max_export=4)

    for word in ("CSV", "Excel", "XML"):
        answer = await export(outlets, exportFormat=word, sort="Code", fields="Code")

        assert answer.headers["x-total-records"] == str(len(HOSTILE))
        assert (answer.headers["x-export-limit"], answer.headers["x-truncated"]) == ("4", "true")
    assert [line[0] for line in lines_of((await export(outlets, sort="Code", fields="Code")).content)[1:]] == [
        "L1",
        "L10",
        "L11",
        "L12",
    ]
    whole = await export(outlets, filters='{"Latitude": {"operator": "<", "value": 5}}')
    assert whole.headers["x-total-records"] == "4"
    assert "x-truncated" not in whole.headers


def run_with(run: Runtime, **settings: object) -> Runtime:
    return replace(run, settings=load_settings(data_dir=run.settings.data_dir, **settings))


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"exportFormat": "PDF"}, "exportFormat is 'PDF'; a file is CSV, XLSX (or Excel) or XML"),
        ({"start": 5}, "A file begins with the first record"),
        ({"cursor": ""}, "A file begins with the first record"),
        ({"limit": 50_001}, "limit is 50001; at most 50000 records fit one page"),
        ({"fields": "Nmae"}, "fields: Location has no field 'nmae'; is it Name?"),
        ({"filters": '{"Code": {"operator": "~"}}'}, "filters.Code: unknown operator '~'"),
    ],
)
async def test_what_cannot_be_exported_is_refused_in_the_published_shape(
    outlets: Handler, params: dict[str, object], reason: str
) -> None:
    answer = await outlets.post("export", **params)

    assert answer.status_code == 400
    assert answer.json()["info"].startswith(reason)
    assert (answer.json()["totalRecords"], answer.json()["records"]) == (0, [])


async def test_the_file_is_named_as_asked_for(outlets: Handler) -> None:
    plain = await export(outlets)
    named = await export(outlets, exportFormat="XML", exportFileName='Kühler "Nord"/2024.xml')

    assert plain.headers["content-disposition"] == (
        "attachment; filename=\"Location.csv\"; filename*=UTF-8''Location.csv"
    )
    assert named.headers["content-disposition"] == (
        "attachment; filename=\"K_hler _Nord__2024.xml\"; filename*=UTF-8''K%C3%BChler%20_Nord__2024.xml"
    )


def test_no_name_can_break_the_header_or_leave_its_folder() -> None:
    for wanted in ("a\r\nSet-Cookie: x", "../../etc/passwd", "...", " ", 'x"; filename="y', "n" * 1000, "100%.csv"):
        name = file_name(wanted, read_export_request(registry().datasets["Location"], Params(), most=5).format)

        assert name.endswith(".csv")
        assert len(name) <= 154
        assert not set(name) & set('\r\n/\\"')
        assert disposition(name).isascii()
        assert disposition(name).isprintable()


async def test_every_dataset_is_exported_in_every_format(
    run: Runtime, client_id: ClientId, admin: httpx.AsyncClient, outlets: Handler
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 2)
    for dataset in (dataset for dataset in registry().listed if dataset.handler):
        handler = Handler(admin, dataset.name)
        names, total = [column.wire for column in dataset.columns], (await handler.page())["totalRecords"]

        text = lines_of((await export(handler)).content)
        excel = sheets((await export(handler, exportFormat="XLSX")).content)["Data"]
        xml = ET.fromstring((await export(handler, exportFormat="XML")).content)

        assert (text[0], len(text)) == (names, total + 1), dataset.name
        assert (excel[0], len(excel)) == (names, total + 1), dataset.name
        assert xml.findtext("totalRecords") == str(total), dataset.name


async def test_a_file_is_for_those_who_may_read_and_holds_their_own_records_only(
    outlets: Handler,
    stranger: httpx.AsyncClient,
    nobody: httpx.AsyncClient,
    operator: httpx.AsyncClient,
    device: httpx.AsyncClient,
) -> None:
    foreign = (await outlets.load(LocationCode="L9"))["id"]

    for word in ("CSV", "XLSX", "XML"):
        answer = await export(Handler(stranger, "Location"), exportFormat=word, filters=f'{{"LocationId": {foreign}}}')
        assert answer.headers["x-total-records"] == "0"
        assert b"L9" not in answer.content
        for http, status in ((nobody, 401), (operator, 403), (device, 403)):
            refused = await Handler(http, "Location").post("export", exportFormat=word)
            assert refused.status_code == status


COLUMNS = (
    Column(wire="Text", type=FieldType.TEXT, meaning=""),
    Column(wire="Number", type=FieldType.INTEGER, meaning=""),
    Column(wire="Decimal", type=FieldType.DECIMAL, meaning=""),
    Column(wire="Float", type=FieldType.FLOAT, meaning=""),
    Column(wire="Day", type=FieldType.DATE, meaning=""),
    Column(wire="Time", type=FieldType.TIMESTAMP, meaning=""),
)
FITTED: list[list[Any]] = [
    ["=1+1", 2**53 + 1, "123456789012.345678", 0.1, 45292.0, 45292.5],
    [LONG, 999_999_999_999_999, "123456789.123456", -1e300, -36522.0, -36521.5],
    ["😀" * 20_000, -(2**63), "-0.000001", float("inf"), 2_958_465.0, 60.25],
    [None, None, None, None, None, None],
    ["", 0, "0", float("nan"), 61.0, 61.0],
]
EXPECTED: list[list[Any]] = [
    ["=1+1", "9007199254740993", "123456789012.345678", 0.1, datetime(2024, 1, 1), datetime(2024, 1, 1, 12)],  # noqa: DTZ001  # cells hold times without a zone
    [LONG[:LONGEST_TEXT], 999_999_999_999_999, 123456789.123456, -1e300, "1800-01-01", "1800-01-01T12:00:00.000"],
    [
        "😀" * (LONGEST_TEXT // 2),
        "-9223372036854775808",
        -0.000001,
        "inf",
        datetime(9999, 12, 31),  # noqa: DTZ001  # same
        "1900-02-28T06:00:00.000",
    ],
    ["", "", "", "", "", ""],
    ["", 0, 0, "nan", datetime(1900, 3, 1), datetime(1900, 3, 1)],  # noqa: DTZ001  # same
]
"""What stands in the cells of FITTED: nothing lost but the end of texts that are too long."""


def _naive(cell: Any) -> Any:  # a cell of any type
    return datetime(cell.year, cell.month, cell.day) if type(cell).__name__ == "date" else cell  # noqa: DTZ001  # same


@pytest.mark.parametrize("writer", ["fast", "slow"])
def test_both_excel_writers_keep_every_digit_date_and_character(tmp_path: Path, writer: str) -> None:
    path, sheet = tmp_path / "file.xlsx", Sheet(COLUMNS, {"Dataset": "Test"})
    names = [column.wire for column in COLUMNS]
    rows = sheet.fitted(dict(zip(names, values, strict=True)) for values in FITTED)
    fast = fast_writer()
    assert fast

    if writer == "fast":
        write_fast(path, sheet, rows, fast)
    else:
        write_slowly(path, sheet, rows)
    found = sheets(path.read_bytes())

    assert found["Data"][0] == names
    for row, wanted in zip(found["Data"][1:], EXPECTED, strict=True):
        assert [_naive(cell) for cell in row] == wanted
    assert found["About"] == [
        ["What", "Value"],
        ["Dataset", "Test"],
        ["Records in this file", 5],
        ["Texts cut to 32,767 characters", 2],
    ]


async def test_decimals_of_the_database_come_exact_into_every_file(
    run: Runtime, client_id: ClientId, outlets: Handler
) -> None:
    column = registry().datasets["Location"].column("Latitude")
    assert column
    exact = [Decimal("12.3456789"), Decimal(-90), Decimal("0.1")]
    async with run.database.scope(client_id) as connection:
        for number, value in enumerate(exact, 1):
            await connection.execute("UPDATE location SET latitude = $1 WHERE code = $2", value, f"L{number}")
        kept = [row["latitude"] for row in await connection.fetch("SELECT latitude FROM location ORDER BY id LIMIT 3")]
    sent = {"fields": "Latitude", "limit": 3}

    text = lines_of((await export(outlets, **sent)).content)[1:]
    excel = sheets((await export(outlets, exportFormat="xlsx", **sent)).content)["Data"][1:]

    assert [Decimal(line[0]) for line in text] == kept
    assert [row[0] for row in excel] == [float(value) for value in kept]


async def _open_in_libreoffice(soffice: str, path: Path, tmp_path: Path) -> list[list[str]]:
    process = await asyncio.create_subprocess_exec(
        soffice,
        f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
        "--headless",
        "--convert-to",
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1",
        "--outdir",
        str(tmp_path / "out"),
        str(path),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(process.wait(), timeout=120)
    written = next((tmp_path / "out").glob("*.csv"))
    return list(csv.reader(io.StringIO(written.read_text(encoding="utf-8"), newline="")))


async def test_libreoffice_evaluates_nothing_and_shows_the_same_texts(outlets: Handler, tmp_path: Path) -> None:
    soffice = shutil.which("soffice") or shutil.which("libreoffice")
    if not soffice:
        pytest.skip("LibreOffice is not installed: no soffice on the path")
    path = tmp_path / "file.xlsx"
    path.write_bytes((await export(outlets, exportFormat="XLSX", fields="Name")).content)

    lines = await _open_in_libreoffice(soffice, path, tmp_path)

    shown = [line[0] for line in lines[1:]]
    plain = [text for text in HOSTILE if text.isprintable()]
    assert [text for text in shown if text in plain] == plain


@pytest.mark.parametrize("word", ["CSV", "XML", "XLSX"])
async def test_a_file_of_20000_records_is_streamed_in_flat_memory(run: Runtime, client_id: ClientId, word: str) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 20_000)
    request = read_export_request(registry().datasets["Location"], Params([("exportFormat", word)]), most=50_000)

    tracemalloc.start()
    answer = await export_records(run, Principal(client_id, UserId(1), "admin", Role.CLIENT_ADMIN), request)
    size = sum([len(part) async for part in answer.body])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert request.records.format is Format.JSON
    assert size > 1_000_000
    assert peak < 12_000_000


async def test_who_hangs_up_on_an_excel_file_ends_its_thread_and_frees_its_connection(
    run: Runtime, client_id: ClientId
) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 10_000)
    request = read_export_request(registry().datasets["Location"], Params([("exportFormat", "XLSX")]), most=50_000)
    principal = Principal(client_id, UserId(1), "admin", Role.CLIENT_ADMIN)

    for _ in range(3):
        answer = await export_records(run, principal, request)
        assert await anext(answer.body) == b""
        waiting = asyncio.ensure_future(anext(answer.body))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    for _ in range(run.settings.pool_size):
        async with run.database.scope(client_id) as connection:
            assert await connection.fetchval("SELECT count(*) FROM location") == 10_000
