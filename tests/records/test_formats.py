"""The formats of lists (contract 1.7): the same records as JSON objects, JSON arrays, XML and CSV."""

import csv
import io
import tracemalloc
from xml.etree import ElementTree as ET

import httpx
import pytest

from coldshelf.access.principal import Principal, Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.listing import list_records, read_list_request
from tests.records.rows import add_outlets, add_pictures
from tests.records.support import Handler

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",  # noqa: RUF001  # a wide sign of equality
    'a "quoted", (bracketed) \\ part',
    "\\\\two\\",
    "line\nfeed",
    "line\r\nfeeds",
    "a & b <c> ]]> 'd'",
    "😀 ŁÓDŹ ไทย",
    "bell\x07 and \x01 and \x1f",
    "no character \ufffe\uffff",
    " blanks ",
    "_x0041_",
    "https://example.org/a?b=1&c=2",
    "2024-01-01",
    "007",
]
"""Texts that a careless format breaks."""


@pytest.fixture
async def outlets(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> Handler:
    """The handler of outlets, one for each hostile text as its name."""
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, len(HOSTILE))
        for number, text in enumerate(HOSTILE, 1):
            await connection.execute("UPDATE location SET name = $1 WHERE code = $2", text, f"L{number}")
        await connection.execute("UPDATE location SET street = '' WHERE code = 'L1'")
    return Handler(admin, "Location")


async def text_of(handler: Handler, **params: object) -> bytes:
    answer = await handler.page_answer(limit=1000, **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-total-records"] == str(len(HOSTILE))
    return answer.content


def clean(text: str) -> str:
    """Give what XML 1.0 can hold of a text."""
    return "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\r") or c in "\ufffe\uffff" else c for c in text)


async def test_arrays_hold_the_values_of_objects_and_name_the_columns_once(outlets: Handler) -> None:
    objects = (await outlets.page(limit=1000))["records"]

    for sent in ({"asArray": 1}, {"format": "array"}, {"format": "JSON-Array"}, {"format": "json", "asArray": "true"}):
        page = await outlets.page(limit=1000, **sent)

        assert list(page) == ["success", "totalRecords", "columns", "records"]
        assert page["columns"] == list(objects[0])
        assert page["records"] == [list(record.values()) for record in objects]


async def test_csv_follows_rfc_4180_with_a_heading(outlets: Handler) -> None:
    objects = (await outlets.page(limit=1000, fields="Code,Name,Latitude,IsActive,Street"))["records"]

    text = await text_of(outlets, format="CSV", fields="Code,Name,Latitude,IsActive,Street")
    lines = list(csv.reader(io.StringIO(text.decode(), newline="")))

    assert lines[0] == ["Code", "Name", "Latitude", "IsActive", "Street"]
    assert [line[1] for line in lines[1:]] == HOSTILE
    assert [line[0] for line in lines[1:]] == [record["Code"] for record in objects]
    assert {line[3] for line in lines[1:]} == {"true"}
    assert [float(line[2]) for line in lines[1:]] == [record["Latitude"] for record in objects]
    assert text.endswith(b"\r\n")
    assert text.splitlines()[1].endswith(b',true,""')  # empty text
    assert text.rstrip().endswith(b",true,")  # no text


async def test_xml_is_well_formed_for_every_text(outlets: Handler) -> None:
    objects = (await outlets.page(limit=1000))["records"]

    root = ET.fromstring(await text_of(outlets, format="xml"))  # our own answer
    records = root.findall("records/record")

    assert (root.tag, root.findtext("success"), root.findtext("totalRecords")) == (
        "response",
        "true",
        str(len(HOSTILE)),
    )
    assert [record.findtext("Name") for record in records] == [clean(text) for text in HOSTILE]
    assert [child.tag for child in records[0]] == [name for name, value in objects[0].items() if value is not None]
    assert (records[0].findtext("Street"), records[-1].find("Street")) == ("", None)
    assert records[0].findtext("ModifiedOn") == objects[0]["ModifiedOn"]


@pytest.mark.usefixtures("outlets")
async def test_every_dataset_has_every_format(run: Runtime, client_id: ClientId, admin: httpx.AsyncClient) -> None:
    async with run.database.scope(client_id) as connection:
        await add_pictures(connection, 2)
    for dataset in (dataset for dataset in registry().listed if dataset.handler):
        handler = Handler(admin, dataset.name)
        objects = await handler.records(limit=2)
        names = [*(column.wire for column in dataset.columns), "RowNumber"]

        rows = (await handler.page(limit=2, format="array"))["records"]
        text = (await handler.page_answer(limit=2, format="csv")).text
        xml = ET.fromstring((await handler.page_answer(limit=2, format="xml")).content)  # same

        assert rows == [[record[name] for name in names] for record in objects], dataset.name
        lines = list(csv.reader(io.StringIO(text, newline="")))
        assert (lines[0], len(lines)) == (names, len(objects) + 1), dataset.name
        assert len(xml.findall("records/record")) == len(objects), dataset.name


async def test_xml_and_arrays_carry_cursors_and_warnings_and_csv_refuses_a_cursor(outlets: Handler) -> None:
    answer = await outlets.page_answer(format="xml", cursor="", limit=2, colour=1)
    xml = ET.fromstring(answer.content)
    behind = await outlets.page(format="array", cursor=xml.findtext("cursor"), limit=1, fields="Code")

    assert xml.findtext("warnings") == "colour was ignored: it is no parameter of this list"
    assert behind["records"] == [["L3"]]
    assert "no place for the next cursor" in await outlets.page_refused(format="csv", cursor="")


@pytest.mark.parametrize("wanted", ["json", "csv", "xml", "array"])
async def test_memory_does_not_grow_with_the_page(run: Runtime, client_id: ClientId, wanted: str) -> None:
    async with run.database.scope(client_id) as connection:
        await add_outlets(connection, 20_000)

    small, its_peak = await _streamed(run, client_id, format=wanted, limit=5_000)
    large, peak = await _streamed(run, client_id, format=wanted, limit=20_000)

    assert large > 3.9 * small
    assert peak < 1.5 * its_peak, "15,000 rows more would be six times as much"


async def _streamed(run: Runtime, client_id: ClientId, **params: object) -> tuple[int, int]:
    """Read a page part by part: its bytes, and the most bytes that Python held meanwhile."""
    named = Params([(name, str(value)) for name, value in params.items()])
    request = read_list_request(registry().datasets["Location"], named, most=50_000)
    tracemalloc.start()
    answer = await list_records(run, Principal(client_id, UserId(1), "admin", Role.CLIENT_ADMIN), request)
    assert not isinstance(answer.body, bytes)
    size = sum([len(part) async for part in answer.body])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size, peak


@pytest.mark.usefixtures("outlets")
async def test_a_stranger_sees_nothing_in_any_format(stranger: httpx.AsyncClient) -> None:
    for wanted in ("json", "array", "xml", "csv"):
        answer = await Handler(stranger, "Location").page_answer(format=wanted)

        assert answer.headers["x-total-records"] == "0"
        assert b"L1" not in answer.content
