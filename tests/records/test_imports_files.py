"""Files as they come: formats, encodings, separators, and what phase 1 says of their cells."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import xlsxwriter
import xlwt

from coldshelf.records.imports import child
from coldshelf.records.imports.cells import ColumnRules
from coldshelf.records.imports.child import Bounds, Errand, examine_file
from coldshelf.records.imports.declaration import CellType
from coldshelf.records.imports.examining import Examined, FileRules, Group

COLUMNS = (
    ColumnRules(name="Code", names=("Code", "Outlet Code"), type=CellType.TEXT, required=True, max_length=10),
    ColumnRules(name="Name", names=("Name",), type=CellType.TEXT),
    ColumnRules(name="Size", names=("Size", "Breadth"), type=CellType.DECIMAL, maximum=Decimal(100), scale=2),
    ColumnRules(name="Made", names=("Made",), type=CellType.DATE),
    ColumnRules(name="Open", names=("Open",), type=CellType.BOOLEAN),
)
BOUNDS = Bounds(60, 4 * 1024**3)
VIETNAMESE = "Hà Nội"
Row = list[object]


def _rules(**more: object) -> FileRules:
    given: dict[str, object] = {"keys": (0,), "most_rows": 1000, "most_problems": 100, **more}
    return FileRules(columns=COLUMNS, **given)  # type: ignore[arg-type]


class Reading:
    """Reads files into a spool and gives what stands there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = folder / "spool"

    async def examine(self, name: str, content: bytes | None = None, rules: FileRules | None = None) -> Examined:
        path = self.folder / name
        if content is not None:
            path.write_bytes(content)
        return await examine_file(Errand(path, name, rules or _rules(), self.spool, BOUNDS), _nobody)

    async def good(self, name: str, content: bytes | None = None) -> list[tuple[int, Row]]:
        found = await self.examine(name, content)
        assert found.problems.kept == []
        return self.rows()

    async def bad(
        self, name: str, content: bytes | None = None, rules: FileRules | None = None
    ) -> list[tuple[int, str, str, str]]:
        found = await self.examine(name, content, rules)
        return [(item.row, item.column, item.value, item.message) for item in found.problems.kept]

    def rows(self) -> list[tuple[int, Row]]:
        lines = [orjson.loads(line) for line in self.spool.read_bytes().splitlines()]
        return [(number, cells) for number, _, _, cells in lines]


async def _nobody(_rows: int) -> None:
    return


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    return Reading(tmp_path)


TEXT = f"Code;Name;Size\r\n007;{VIETNAMESE};1.50\r\n\r\n8;  two\u00a0words ;.5\r\n"
ROWS = [(2, ["007", VIETNAMESE, "1.50", None, None]), (4, ["8", "two\u00a0words", "0.50", None, None])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
async def test_a_csv_is_read_in_every_encoding_and_keeps_its_row_numbers(reading: Reading, encoding: str) -> None:
    assert await reading.good("a.csv", TEXT.encode(encoding)) == ROWS


async def test_a_csv_of_windows_1252_is_read_and_said_so(reading: Reading) -> None:
    found = await reading.examine("a.csv", "Code,Name\n1,Müller € Söhne\n".encode("cp1252"))

    assert reading.rows() == [(2, ["1", "Müller € Söhne", None, None, None])]
    assert found.warnings == ["The file is not UTF-8; it was read as Windows-1252"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
async def test_the_separator_is_found_out_by_the_known_names(reading: Reading, separator: str) -> None:
    content = separator.join(["Name", "Code", "a,b;c|d"]) + "\n" + separator.join(["x", "1", '"q, w; e"']) + "\n"

    assert await reading.good("a.csv", content.encode()) == [(2, ["1", "x", None, None, None])]


async def test_excels_line_with_the_separator_is_obeyed(reading: Reading) -> None:
    assert await reading.good("a.csv", b"sep=|\nCode|Name\n1|x\n") == [(3, ["1", "x", None, None, None])]


async def test_quotes_and_line_breaks_in_cells_count_as_one_row(reading: Reading) -> None:
    rows = await reading.good("a.csv", b'Code,Name\n1,"two\nlines, ""quoted"""\n2,x\n')

    assert rows == [(2, ["1", 'two\nlines, "quoted"', None, None, None]), (3, ["2", "x", None, None, None])]


async def test_names_and_aliases_are_read_in_any_letter_case(reading: Reading) -> None:
    rows = await reading.good("a.csv", b" OUTLET code ,bREADTH\n1,2\n")

    assert rows == [(2, ["1", None, "2.00", None, None])]


async def test_an_unknown_column_is_named(reading: Reading) -> None:
    found = await reading.examine("a.csv", b"Code,Colour\n1,red\n")

    assert found.warnings == ["Column 'Colour' was ignored: this type has no such column"]
    assert found.problems.count == 0


async def test_an_excel_workbook_is_read_with_its_numbers_dates_and_row_numbers(reading: Reading) -> None:
    with xlsxwriter.Workbook(str(reading.folder / "a.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row(2, 1, ["Code", "Name", "Size", "Made", "Open"])
        page.write_row(3, 1, [524, "text", 16.78])
        page.write_datetime(
            3,
            4,
            dt.date(2026, 3, 17),
            book.add_format({"num_format": "dd.mm.yyyy"}),
        )
        page.write_boolean(3, 5, True)
        page.write_row(5, 1, ["007", "", 3, "03/17/2026", "No"])

    assert await reading.good("a.xlsx") == [
        (4, ["524", "text", "16.78", "2026-03-17", True]),
        (6, ["007", None, "3.00", "2026-03-17", False]),
    ]


async def test_an_old_excel_workbook_is_read(reading: Reading) -> None:
    book = xlwt.Workbook()
    page = book.add_sheet("Data")
    dated = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for place, name in enumerate(("Code", "Size", "Made")):
        page.write(0, place, name)
    page.write(1, 0, 524)
    page.write(1, 1, 1.5)
    page.write(1, 2, dt.date(2026, 3, 17), dated)
    book.save(str(reading.folder / "a.xls"))

    assert await reading.good("a.xls") == [(2, ["524", None, "1.50", "2026-03-17", None])]


async def test_json_is_read_by_names_and_aliases(reading: Reading) -> None:
    content = orjson.dumps({"data": [{"Outlet Code": 7, "Open": True, "Size": 1.5}, {"Code": "8", "Name": None}]})

    mixed = await reading.good("a.json", content)
    twice = await reading.bad("a.json", orjson.dumps({"data": [{"Code": "1", "outlet code": "2"}]}))

    assert mixed == [(2, ["7", None, "1.50", None, True]), (3, ["8", None, None, None, None])]
    assert twice == [(2, "Code", "2", "outlet code says the same column again")]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", b"x", "is no .csv"),
        ("a.xlsx", b"not a workbook", "no Excel workbook inside"),
        ("a.xlsx", b"PK\x03\x04broken", "cannot be read"),
        ("a.xls", b"\xd0\xcf\x11\xe0broken", "cannot be read"),
        ("a.json", b"{", "not JSON"),
        ("a.json", b'{"rows": []}', '{"data"'),
        ("a.json", b'{"data": [1]}', '{"data"'),
        ("a.json", b'{"data": []}', "no rows"),
        ("a.csv", b"", "no heading"),
        ("a.csv", b"Code,Name\n", "no rows"),
        ("a.csv", b'Code,Name\n1,"open\n', "cannot be read"),
        ("a.csv", b"Code\n\x81\x8d\n", "neither UTF-8"),
    ],
)
async def test_what_cannot_be_read_is_one_problem_of_the_file(
    reading: Reading, name: str, content: bytes, says: str
) -> None:
    found = await reading.examine(name, content)

    (problem,) = found.problems.kept
    assert (problem.row, problem.column) == (0, "")
    assert says in problem.message
    assert problem.cure


async def test_a_missing_required_column_is_told_at_the_heading(reading: Reading) -> None:
    assert await reading.bad("a.csv", b"Name\nx\ny\n") == [(1, "Code", "", "Missing required field: Code")]


async def test_every_bad_cell_is_told_with_row_and_value(reading: Reading) -> None:
    content = b"Code,Size,Made,Open\n,1,2026-01-01,Yes\n12345678901,1.5.1,1.1.2026,perhaps\n3,101,,\n"

    assert await reading.bad("a.csv", content) == [
        (2, "Code", "", "Missing required field: Code"),
        (3, "Code", "12345678901", "Code has 11 characters; at most 10"),
        (3, "Size", "1.5.1", "Size takes a decimal number"),
        (3, "Made", "1.1.2026", "Made takes a date, YYYY-MM-DD or MM/DD/YYYY"),
        (3, "Open", "perhaps", "Open takes Yes or No"),
        (4, "Size", "101", "Size takes at most 100"),
    ]


async def test_a_doubled_key_is_told_with_the_first_row(reading: Reading) -> None:
    assert await reading.bad("a.csv", b"Code\nA\nb\na\n") == [(4, "Code", "a", "Code stands in row 2 already")]


async def test_rows_that_speak_of_one_record_must_agree(reading: Reading) -> None:
    group = Group(part="outlet", title="Location", key=(0,), places=(1, 2))
    content = b"Code,Name,Size\nA,One,1\nA,,1\nA,Two,1\n"

    found = await reading.bad("a.csv", content, _rules(keys=(), groups=(group,)))

    assert found == [(4, "Name", "Two", "Row 2 says another Name for the same Location")]


async def test_more_rows_than_allowed_are_refused(reading: Reading) -> None:
    found = await reading.bad("a.csv", b"Code\n1\n2\n3\n", _rules(most_rows=2))

    assert [message for *_, message in found] == ["The file has more than 2 rows"]


async def test_problems_beyond_the_most_are_counted(reading: Reading) -> None:
    found = await reading.examine("a.csv", b"Code,Size\n" + b"1,x\n" * 9, _rules(keys=(), most_problems=2))

    assert (found.problems.count, len(found.problems.kept), found.total_rows) == (9, 2, 9)


async def test_a_workbook_that_takes_too_much_memory_ends_its_child_only(reading: Reading) -> None:
    with xlsxwriter.Workbook(str(reading.folder / "a.xlsx")) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Code"])
        for row in range(1, 20_000):
            page.write_row(row, 0, [f"{row} and {place}" for place in range(8)])
    errand = Errand(reading.folder / "a.xlsx", "a.xlsx", _rules(), reading.spool, Bounds(60, 64 * 1024**2))

    found = await examine_file(errand, _nobody)

    assert found.problems.count == 1
    assert "memory" in found.problems.kept[0].message


async def test_a_file_that_takes_too_long_is_given_up(reading: Reading) -> None:
    with xlsxwriter.Workbook(str(reading.folder / "a.xlsx")) as book:
        book.add_worksheet().write_row(0, 0, ["Code"])
    errand = Errand(reading.folder / "a.xlsx", "a.xlsx", _rules(), reading.spool, Bounds(0.01, 4 * 1024**3))

    found = await examine_file(errand, _nobody)

    assert found.problems.kept[0].message == "The file took longer than 0 s to read"


async def test_a_large_csv_is_read_in_a_child_and_tells_how_far_it_is(reading: Reading) -> None:
    content = b"Code,Name\n" + b"".join(b"%d,%s\n" % (n, b"x" * 80) for n in range(5_000))
    path = reading.folder / "a.csv"
    path.write_bytes(content)
    told: list[int] = []

    async def tell(rows: int) -> None:
        told.append(rows)

    found = await examine_file(Errand(path, "a.csv", _rules(most_rows=9_999), reading.spool, BOUNDS), tell)

    assert len(content) > child.SMALL
    assert (found.total_rows, found.problems.count) == (5_000, 0)
    assert told == [2_000, 4_000]
    assert reading.rows()[-1] == (5_001, ["4999", "x" * 80, None, None, None])
