"""A request's fields and its one file, streamed to the disk while it arrives."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header
from starlette.requests import Request

from coldshelf.kit.errors import InputInvalid, TooLarge
from coldshelf.kit.web.params import Params, query_params, read_form
from coldshelf.records.imports.runs import Received

LARGEST_FIELD = 64 * 1024
MOST_PARTS = 100


class FileMissing(InputInvalid):
    """There is no file in the request"""

    code = "import_file_missing"
    cure = "Send it as multipart/form-data in the field `file`."


@dataclass(slots=True)
class Arrival:
    """What a request brought. The file is gone when the request is done."""

    params: Params
    file: Received | None


@asynccontextmanager
async def arrival(request: Request) -> AsyncIterator[Arrival]:
    """Read the body; memory does not grow with it. The size of all bodies is bounded before."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    query = query_params(request)
    if kind != "multipart/form-data" or not options.get("boundary"):
        yield Arrival((await read_form(request)).over(query), None)
        return
    with tempfile.NamedTemporaryFile(prefix="coldshelf-import-") as out:
        parts = _Parts(out)
        await _parse(request, options["boundary"], parts)
        out.flush()
        yield Arrival(Params(parts.pairs).over(query), parts.received())


async def _parse(request: Request, boundary: str, parts: "_Parts") -> None:
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            async for chunk in request.stream():
                if chunk and not parser.closed:
                    for event in parser.parse(chunk):
                        parts.take(event)
    except UnicodeDecodeError as error:
        raise InputInvalid("The form is not UTF-8") from error
    except ParserLimitReached as error:
        raise TooLarge(f"The form has too many parts or too long headers: {error}") from error
    except MultipartError as error:
        raise InputInvalid(f"The form cannot be read: {error}") from error


@dataclass(slots=True)
class _Parts:
    """Takes the parser's events: fields are gathered, the first file goes to the disk, other files are forgotten."""

    out: IO[bytes]
    pairs: list[tuple[str, str]] = field(default_factory=list)
    name: str | None = None
    size: int = 0
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _field: tuple[str, bytearray] | None = None
    _is_file: bool = False

    def take(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is None:
            if self._field:
                self.pairs.append((self._field[0], self._field[1].decode("utf-8")))
            self._field, self._is_file = None, False
        elif self._is_file:
            self.out.write(event)
            self._digest.update(event)
            self.size += len(event)
        elif self._field:
            self._field[1].extend(event)
            if len(self._field[1]) > LARGEST_FIELD:
                raise TooLarge(f"The field {self._field[0]} is longer than {LARGEST_FIELD:,} bytes")

    def _begin(self, part: MultipartSegment) -> None:
        if part.filename is None:
            self._field = (part.name, bytearray())
        elif self.name is None and part.filename:
            self.name, self._is_file = part.filename, True

    def received(self) -> Received | None:
        if self.name is None:
            return None
        return Received(Path(self.out.name), self.name, self._digest.digest(), self.size)
