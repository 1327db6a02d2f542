"""The upload's body: form fields and files, streamed into the object store while they arrive."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.objects import ObjectStore, ObjectWriter
from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import UploadTooLarge
from coldshelf.pictures.models import ReceivedFile

LARGEST_FIELD = 64 * 1024
MOST_PARTS = 200


class _Sha256(Protocol):
    def update(self, content: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class Intake:
    """Fields and files of one request. Call `discard` for whatever was not committed."""

    def __init__(self, objects: ObjectStore, *, most_files: int) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[ReceivedFile] = []
        self._objects = objects
        self._most_files = most_files
        self._open: tuple[str, ObjectWriter, _Sha256] | None = None
        self._field: tuple[str, bytearray] | None = None

    @property
    def params(self) -> Params:
        return Params(self.fields)

    def discard(self) -> None:
        """Throw away every staged file; committed ones are not touched."""
        if self._open:
            self._open[1].abort()
        for file in self.files:
            file.writer.abort()

    async def receive(self, stream: AsyncIterator[bytes], content_type: str) -> None:
        """Read the whole body; memory does not grow with it.

        Raises UploadTooLarge when there are too many files and InputInvalid when the body is malformed.
        """
        kind, options = parse_options_header(content_type)
        if kind == "multipart/form-data" and options.get("boundary"):
            await self._receive_parts(stream, options["boundary"])
        elif kind.startswith("image/") or kind == "application/octet-stream":
            self._begin_file("")
            async for chunk in stream:
                self._data(chunk)
            self._end()
        else:
            self.fields += await _urlencoded(stream)

    async def _receive_parts(self, stream: AsyncIterator[bytes], boundary: str) -> None:
        try:
            with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
                async for chunk in stream:
                    for event in parser.parse(chunk):
                        self._event(event)
        except ParserLimitReached as error:
            raise UploadTooLarge(f"The upload has too many parts or too long headers: {error}") from error
        except MultipartError as error:
            raise InputInvalid(f"The multipart body is malformed: {error}") from error

    def _event(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            if event.filename is not None:
                self._begin_file(event.filename)
            else:
                self._field = (event.name, bytearray())
        elif event is not None:
            self._data(bytes(event))
        else:
            self._end()

    def _begin_file(self, name: str) -> None:
        if len(self.files) >= self._most_files:
            raise UploadTooLarge(f"The upload has more than {self._most_files} files")
        self._open = (name, self._objects.writer(), hashlib.sha256())

    def _data(self, chunk: bytes) -> None:
        if self._open:
            _, writer, digest = self._open
            writer.write(chunk)
            digest.update(chunk)
        elif self._field:
            self._field[1].extend(chunk)
            if len(self._field[1]) > LARGEST_FIELD:
                raise UploadTooLarge(f"The field {self._field[0]} is longer than {LARGEST_FIELD} bytes")

    def _end(self) -> None:
        if self._open:
            name, writer, digest = self._open
            self._open = None
            if not name and writer.size == 0:  # a browser's file field in which nothing was chosen
                writer.abort()
                return
            self.files.append(ReceivedFile(name, writer, digest.digest()))
        elif self._field:
            name, content = self._field
            self._field = None
            with suppress(UnicodeDecodeError):
                self.fields.append((name, content.decode()))


async def _urlencoded(stream: AsyncIterator[bytes]) -> list[tuple[str, str]]:
    content = bytearray()
    async for chunk in stream:
        content.extend(chunk)
        if len(content) > LARGEST_FIELD:
            raise UploadTooLarge(f"The form is longer than {LARGEST_FIELD} bytes")
    return parse_qsl(content.decode(errors="replace"), keep_blank_values=True)
