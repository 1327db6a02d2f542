"""Files as sheets: CSV in any usual encoding and separator, Excel workbooks, JSON. Row numbers are a spreadsheet's."""

import codecs
import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO

import orjson

from coldshelf.kit.errors import InputInvalid
from coldshelf.records.imports.cells import Cell

SEPARATORS = (",", ";", "\t", "|")
LONGEST_CELL = 1_000_000
MOST_COLUMNS = 1_000
LARGEST_UNPACKED = 2 * 1024**3
"""Bytes that a workbook may unpack to; Excel's own XML of a full sheet stays below it."""
_SNIFFED = 64 * 1024
csv.field_size_limit(LONGEST_CELL)


class FileUnreadable(InputInvalid):
    """The file cannot be read"""

    code = "import_file_unreadable"
    cure = "Send a .csv, .xlsx, .xls or .json file; action=template gives one to fill in."


class FileKind(StrEnum):
    """What a file is, by its bytes."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"
    JSON = "json"


@dataclass(slots=True)
class Sheet:
    """Heading and rows; each row with its number in a spreadsheet, its cells in the order of the heading."""

    heading: list[str]
    heading_row: int
    rows: Iterable[tuple[int, Sequence[Cell]]]
    warnings: list[str] = field(default_factory=list)


def kind_of(path: Path, name: str) -> FileKind:
    """Tell what a file is; raise FileUnreadable for an ending or bytes that are not taken."""
    ending = Path(name).suffix.lower().lstrip(".")
    if ending not in set(FileKind):
        raise FileUnreadable(f"{name or 'The file'} is no .csv, .xlsx, .xls or .json file")
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"PK\x03\x04"):
        return FileKind.XLSX
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return FileKind.XLS
    if ending in {FileKind.XLSX, FileKind.XLS}:
        raise FileUnreadable(f"{name} is no Excel workbook inside")
    return FileKind(ending)


def open_sheet(path: Path, kind: FileKind, known: frozenset[str]) -> Sheet:
    """Open a file; `known` are the lower-case names of columns, by which the separator is found out."""
    if kind is FileKind.JSON:
        return _json_sheet(path)
    if kind is FileKind.CSV:
        return _csv_sheet(path, known)
    return _workbook_sheet(path, kind)


def _headed(rows: Iterator[tuple[int, Sequence[Cell]]], warnings: list[str] | None = None) -> Sheet:
    """Take the first row with anything in it as the heading."""
    for number, row in rows:
        names = ["" if cell is None else str(cell).strip() for cell in row]
        if any(names):
            if len(names) > MOST_COLUMNS:
                raise FileUnreadable(f"The file has {len(names)} columns; at most {MOST_COLUMNS}")
            return Sheet(names, number, rows, warnings or [])
    raise FileUnreadable("The file has no heading", cure="Write the names of the columns into the first row.")


# --- CSV


def _csv_sheet(path: Path, known: frozenset[str]) -> Sheet:
    encoding, warnings = _encoding(path)
    separator, skipped = _separator(path, encoding, known)
    return _headed(_csv_rows(path, encoding, separator, skipped), warnings)


def _csv_rows(path: Path, encoding: str, separator: str, skipped: int) -> Iterator[tuple[int, Sequence[Cell]]]:
    with path.open(encoding=encoding, newline="") as file:
        for _ in range(skipped):
            file.readline()
        reader = csv.reader(file, delimiter=separator, strict=True)
        number = skipped
        try:
            for row in reader:
                number += 1
                yield number, row
        except csv.Error as error:
            raise FileUnreadable(f"Row {number + 1} cannot be read: {error}", cure="Check its quotes.") from error


def _encoding(path: Path) -> tuple[str, list[str]]:
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig", []
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", []
        if head[1::2].count(0) > len(head) // 4:
            return "utf-16-le", []
        if head[::2].count(0) > len(head) // 4:
            return "utf-16-be", []
        file.seek(0)
        if _decodes(file, "utf-8"):
            return "utf-8", []
        file.seek(0)
        if _decodes(file, "cp1252"):
            return "cp1252", ["The file is not UTF-8; it was read as Windows-1252"]
    raise FileUnreadable("The text of the file is neither UTF-8, UTF-16 nor Windows-1252", cure="Save it as UTF-8.")


def _decodes(file: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(1024 * 1024):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _separator(path: Path, encoding: str, known: frozenset[str]) -> tuple[str, int]:
    """Find the separator that gives the most known names in the heading, and how many lines stand before it."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            first = file.readline(_SNIFFED)
            if first.lower().startswith("sep=") and len(first.strip()) == 5:
                return first.strip()[4], 1
            while first and not first.strip():
                first = file.readline(_SNIFFED)
    except UnicodeDecodeError as error:
        raise FileUnreadable("The text of the file is broken UTF-16", cure="Save it as UTF-8.") from error
    return max(SEPARATORS, key=lambda separator: _known_names(first, separator, known)), 0


def _known_names(line: str, separator: str, known: frozenset[str]) -> tuple[int, int]:
    try:
        names = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return 0, 0
    return sum(name.strip().lower() in known for name in names), len(names)


# --- Excel


def _workbook_sheet(path: Path, kind: FileKind) -> Sheet:
    # Heavy, and of use in child processes only.
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415

    if kind is FileKind.XLSX:
        _check_unpacked(path)
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
        if not visible:
            raise FileUnreadable("The workbook has no visible sheet")
        sheet = workbook.get_sheet_by_name(visible[0])
    except (CalamineError, OSError) as error:
        raise FileUnreadable(f"The workbook cannot be read: {error}") from error
    return _headed((number, row) for number, row in enumerate(sheet.iter_rows(), 1))


def _check_unpacked(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except zipfile.BadZipFile as error:
        raise FileUnreadable(f"The workbook cannot be read: {error}") from error
    if size > LARGEST_UNPACKED:
        raise FileUnreadable(f"The workbook unpacks to {size:,} bytes; at most {LARGEST_UNPACKED:,}")


# --- JSON


def _json_sheet(path: Path) -> Sheet:
    try:
        document = orjson.loads(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise FileUnreadable(f"The file is not JSON: {error}") from error
    items = document.get("data") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise FileUnreadable('The JSON takes {"data": [{…}, …]}')
    names: dict[str, None] = {}
    for item in items:
        names.update(dict.fromkeys(item))
    if len(names) > MOST_COLUMNS:
        raise FileUnreadable(f"The file has {len(names)} columns; at most {MOST_COLUMNS}")
    heading = list(names)
    rows = ((number, [item.get(name) for name in heading]) for number, item in enumerate(items, 2))
    return Sheet(heading, 0, rows)
