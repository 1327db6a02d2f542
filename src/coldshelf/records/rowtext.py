"""How the database writes one row as text: SQL expressions over the columns of a page."""

from collections.abc import Sequence
from enum import StrEnum

from coldshelf.records.fields import FieldType

MOST_ARGUMENTS = 90
"""PostgreSQL functions take at most 100 arguments."""
BEGINS_FORMULA = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001  # the wide ones count as well where a spreadsheet speaks Japanese
"""A spreadsheet may take text that begins so for a formula."""
TEXTS = frozenset({FieldType.TEXT, FieldType.JSON})

Part = tuple[str, str, FieldType]
"""A column of a page: its SQL name, its name on the wire and its type."""


class RowText(StrEnum):
    """What a row is written as. SAFE_CSV: with an apostrophe before what a spreadsheet takes for a formula."""

    OBJECT = "object"
    ARRAY = "array"
    CSV = "csv"
    SAFE_CSV = "safe_csv"
    XML = "xml"


def row_text(kind: RowText, parts: Sequence[Part]) -> str:
    """Compose the expression that writes a row.

    CSV rows are PostgreSQL's own row literals, written in C: `formats` takes off their brackets and the second of each
    two backslashes, which is all that differs from RFC 4180.
    """
    if kind is RowText.OBJECT:
        return f"row_to_json((SELECT record FROM (SELECT {', '.join(name for name, _, _ in parts)}) AS record))::text"
    if kind is RowText.ARRAY:
        arrays = [f"json_build_array({', '.join(name for name, _, _ in group)})::text" for group in _groups(parts)]
        return " || ', ' || ".join(
            _inner(array, first=place == 0, last=place == len(arrays) - 1) for place, array in enumerate(arrays)
        )
    if kind is RowText.XML:
        return " || ".join(f"concat({', '.join(_element(part) for part in group)})" for group in _groups(parts))
    return f"ROW({', '.join(_csv_cell(part, safe=kind is RowText.SAFE_CSV) for part in parts)})::text"


def _groups(parts: Sequence[Part]) -> list[Sequence[Part]]:
    return [parts[start : start + MOST_ARGUMENTS] for start in range(0, len(parts), MOST_ARGUMENTS)]


def _inner(array: str, *, first: bool, last: bool) -> str:
    """Leave the brackets out where two arrays are written as one."""
    text = array if first else f"substr({array}, 2)"
    return text if last else f"left({text}, -1)"


def _element(part: Part) -> str:
    name, wire, kind = part
    text = f"{name}::text"
    if kind in TEXTS:
        text = f"replace(replace(replace({name}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
    return f"'<{wire}>' || {text} || '</{wire}>'"


def _csv_cell(part: Part, *, safe: bool) -> str:
    name, _, kind = part
    if kind is FieldType.BOOLEAN:
        return f"{name}::text"  # within a row it would be t or f
    if safe and kind in TEXTS:
        first = ", ".join(str(ord(character)) for character in BEGINS_FORMULA)
        return f"CASE WHEN ascii({name}) IN ({first}) THEN '''' || {name} ELSE {name} END"
    return name
