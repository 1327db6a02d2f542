"""Parameters of the contract's handlers: names in any case, from the query string or the body; the body wins."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, overload
from urllib.parse import parse_qsl

import orjson
from multipart import (
    MultipartError,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)
from starlette.requests import Request

from coldshelf.kit.errors import InputInvalid, TooLarge

LARGEST_FORM = 1024 * 1024
MOST_FIELDS = 1000
LARGEST_INTEGER = 2**63 - 1
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})


class Params(Mapping[str, str]):
    """Values by name in any case; iterating gives the names as they were sent. The first occurrence wins.

    Names that end in `[]`, and a few others, are made to be sent more than once: `every` gives all values.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, list[str]]] = {}
        for name, value in pairs:
            self._values.setdefault(name.lower(), (name, []))[1].append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1][0]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Params({', '.join(self)})"  # names only: values may be secrets

    def over(self, other: "Params") -> "Params":
        """Join two places; where both name one, this one wins."""
        return Params([*self.pairs(), *(pair for pair in other.pairs() if pair[0] not in self)])

    def pairs(self) -> list[tuple[str, str]]:
        """Give all that was sent, also further values under the same name."""
        return [(name, value) for name, values in self._values.values() for value in values]

    def every(self, name: str) -> list[str]:
        """Give each value that was sent under a name without surrounding blanks, but empty ones."""
        values = self._values.get(name.lower(), ("", ()))[1]
        return [text for text in (_text(name, value) for value in values) if text]

    def text(self, name: str, default: str = "") -> str:
        """Give a value without surrounding blanks; the default when it is absent or empty."""
        return _text(name, self.get(name, "")) or default

    @overload
    def integer(self, name: str, default: None = None) -> int | None: ...

    @overload
    def integer(self, name: str, default: int) -> int: ...

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Give a whole number; the default when it is absent or empty; raise InputInvalid for anything else."""
        value = self.text(name)
        if not value:
            return default
        if not _INTEGER.fullmatch(value) or abs(int(value)) > LARGEST_INTEGER:
            raise InputInvalid(f"{name} takes a whole number, not {_shown(value)}.")
        return int(value)

    def boolean(self, name: str, *, default: bool = False) -> bool:
        """Give a switch; the default when it is absent or empty; raise InputInvalid for anything else."""
        value = self.text(name).lower()
        if not value:
            return default
        if value not in _YES | _NO:
            raise InputInvalid(f"{name} takes true, false, 1, 0, yes or no, not {_shown(value)}.")
        return value in _YES


async def read_params(request: Request, *, limit: int = LARGEST_FORM) -> Params:
    """Read the query string and the body; raise TooLarge above `limit` bytes, InputInvalid for what cannot be read."""
    return (await read_form(request, limit=limit)).over(query_params(request))


def query_params(request: Request) -> Params:
    """Read the query string only."""
    query: bytes = request.scope["query_string"]
    return Params(_urlencoded(query, "query string"))


async def read_form(request: Request, *, limit: int = LARGEST_FORM) -> Params:
    """Read the body only: urlencoded, multipart (its files are skipped) or a JSON object."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == "multipart/form-data":
        return Params(await _multipart(_bounded(request, limit), options.get("boundary", "")))
    body = await read_body(request, limit=limit)
    if not body:
        return Params()
    if kind == "application/x-www-form-urlencoded":
        return Params(_urlencoded(body, "form"))
    if kind == "application/json":
        return Params(_json(body))
    raise InputInvalid(
        f"Content-Type {_shown(kind)} cannot be read.",
        cure="Send application/x-www-form-urlencoded, multipart/form-data or application/json.",
    )


async def read_body(request: Request, *, limit: int = LARGEST_FORM) -> bytes:
    """Read the body as it is; raise TooLarge above `limit` bytes."""
    return b"".join([chunk async for chunk in _bounded(request, limit)])


async def _bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The form is larger than {limit:,} bytes.")
        yield chunk


def _urlencoded(content: bytes, place: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(content.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError as error:
        raise InputInvalid(f"The {place} is not UTF-8.") from error
    except ValueError as error:
        raise TooLarge(f"The {place} has more than {MOST_FIELDS:,} fields.") from error


async def _multipart(chunks: AsyncIterator[bytes], boundary: str) -> list[tuple[str, str]]:
    fields = _Fields()
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_FIELDS) as parser:
            async for chunk in chunks:
                if chunk and not parser.closed:
                    for event in parser.parse(chunk):
                        fields.take(event)
    except UnicodeDecodeError as error:
        raise InputInvalid("The form is not UTF-8.") from error
    except ParserLimitReached as error:
        raise TooLarge(f"The form is too large: {error}.") from error
    except MultipartError as error:
        raise InputInvalid(f"The form cannot be read: {error}.") from error
    return fields.pairs


class _Fields:
    """Gathers the fields of a multipart form from the parser's events and skips its files."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._name: str | None = None
        self._value = bytearray()

    def take(self, event: Any) -> None:  # the parser has no types: a segment, then bytes, then None
        if event is None:
            if self._name is not None:
                self.pairs.append((self._name, self._value.decode("utf-8")))
        elif isinstance(event, bytes | bytearray):
            if self._name is not None:
                self._value += event
        else:
            self._name = event.name if event.filename is None else None
            self._value = bytearray()


def _json(content: bytes) -> list[tuple[str, str]]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InputInvalid(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InputInvalid("The body takes a JSON object.")
    return [(name, _as_text(value)) for name, value in document.items()]


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else orjson.dumps(value).decode()


def _text(name: str, value: str) -> str:
    if "\0" in value:
        raise InputInvalid(f"{name} takes text without zero bytes.")
    return value.strip()


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "…")
