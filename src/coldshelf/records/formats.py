"""The texts of lists and files (contract 1.7): what stands before, between and behind the rows of the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import orjson

from coldshelf.kit.web.params import Params
from coldshelf.records.errors import PageInvalid
from coldshelf.records.rowtext import RowText

REPLACEMENT = "\ufffd".encode()
"""Stands in XML for each character that XML 1.0 cannot hold."""
_MARK = b"\x01"
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_TO_MARK = bytes.maketrans(_CONTROLS, _MARK * len(_CONTROLS))
_NO_CHARACTERS = ("\ufffe".encode(), "\uffff".encode())


class Format(StrEnum):
    """What a list can be given as."""

    JSON = "json"
    ARRAY = "array"
    XML = "xml"
    CSV = "csv"


FORMAT_NAMES = {"": Format.JSON, "json-array": Format.ARRAY, **{item.value: item for item in Format}}


class PageText(Protocol):
    """Writes one page: the head once, any number of batches of rows, the tail once."""

    @property
    def media_type(self) -> str: ...

    @property
    def row_text(self) -> RowText: ...

    def head(self, total: int) -> bytes: ...

    def rows(self, texts: Sequence[str]) -> bytes: ...

    def tail(self, more: Mapping[str, object]) -> bytes:
        """Give what ends the page; `more` is said beside the rows where the format has a place for it."""
        ...


def read_format(params: Params) -> Format:
    """Read `format` and `asArray`; raise PageInvalid with what they take."""
    text = params.text("format").lower()
    if text not in FORMAT_NAMES:
        known = "json, xml, array (or JSON-Array) and csv"
        raise PageInvalid(f"format is {params.text('format')[:60]!r}; a list is given as {known}")
    wanted = FORMAT_NAMES[text]
    if not params.boolean("asArray", default=False):
        return wanted
    if wanted in {Format.XML, Format.CSV}:
        raise PageInvalid(f"asArray=1 is the format array, and format is {wanted}: send one of them")
    return Format.ARRAY


def page_text(wanted: Format, names: Sequence[str]) -> PageText:
    """Begin a page whose rows hold these names."""
    if wanted is Format.XML:
        return XmlPage()
    if wanted is Format.CSV:
        return CsvPage(names)
    return JsonPage(tuple(names) if wanted is Format.ARRAY else None)


@dataclass(slots=True)
class JsonPage:
    """Objects, or with `names` arrays and their names once before them."""

    names: tuple[str, ...] | None = None
    media_type: str = "application/json"
    _is_begun: bool = False

    @property
    def row_text(self) -> RowText:
        return RowText.OBJECT if self.names is None else RowText.ARRAY

    def head(self, total: int) -> bytes:
        columns = b"" if self.names is None else b'"columns":' + orjson.dumps(self.names) + b","
        return f'{{"success":true,"totalRecords":{total},'.encode() + columns + b'"records":['

    def rows(self, texts: Sequence[str]) -> bytes:
        before, self._is_begun = [""] if self._is_begun else [], True
        return ",".join([*before, *texts]).encode()

    def tail(self, more: Mapping[str, object]) -> bytes:
        return b"]" + (b"," + orjson.dumps(more)[1:-1] if more else b"") + b"}"


@dataclass(slots=True)
class CsvPage:
    """RFC 4180 with a heading: an empty cell is no value, a quoted empty one is empty text."""

    names: Sequence[str]
    safe: bool = False
    media_type: str = "text/csv; charset=utf-8; header=present"

    @property
    def row_text(self) -> RowText:
        return RowText.SAFE_CSV if self.safe else RowText.CSV

    def head(self, total: int) -> bytes:  # CSV has no place for it but the header
        return ",".join(self.names).encode() + b"\r\n"

    def rows(self, texts: Sequence[str]) -> bytes:
        lines = "\r\n".join([*[text[1:-1] for text in texts], ""]).encode()
        return lines.replace(b"\\\\", b"\\") if b"\\" in lines else lines

    def tail(self, more: Mapping[str, object]) -> bytes:  # same
        return b""


@dataclass(slots=True)
class XmlPage:
    """`<response>` with `<record>` elements; a field without a value has no element."""

    media_type: str = "application/xml; charset=utf-8"
    row_text: RowText = RowText.XML

    def head(self, total: int) -> bytes:
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<response><success>true</success>'
            f"<totalRecords>{total}</totalRecords><records>\n"
        ).encode()

    def rows(self, texts: Sequence[str]) -> bytes:
        return b"<record>" + _clean("</record>\n<record>".join(texts).encode()) + b"</record>\n"

    def tail(self, more: Mapping[str, object]) -> bytes:
        said = "".join(
            f"<{name}>{_escaped(str(value))}</{name}>" for name, part in more.items() for value in _each(part)
        )
        return b"</records>" + _clean(said.encode()) + b"</response>\n"


def _clean(text: bytes) -> bytes:
    """Replace what XML 1.0 cannot hold; a carriage return is written so that no reader makes a line feed of it."""
    text = text.translate(_TO_MARK).replace(_MARK, REPLACEMENT).replace(b"\r", b"&#13;")
    for character in _NO_CHARACTERS:
        text = text.replace(character, REPLACEMENT)
    return text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _each(part: object) -> Sequence[object]:
    return part if isinstance(part, list) else [part]
