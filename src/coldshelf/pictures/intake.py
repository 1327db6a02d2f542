"""The upload's body: form fields and files, streamed towards the object store while they arrive."""

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from coldshelf.kit.errors import ColdshelfError, InputInvalid
from coldshelf.kit.logs import get_logger
from coldshelf.kit.objects import ObjectStore, ObjectWriter
from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import SaveFailed, UploadTooLarge
from coldshelf.pictures.models import ReceivedFile

log = get_logger("pictures")

LARGEST_FIELD = 64 * 1024
LARGEST_VALUE = 1024 * 1024
"""Bytes of one field of a multipart body: a batch's manifest is the longest."""
MOST_PARTS = 200
LONGEST_FILE_NAME = 250


class Intake:
    """Fields and files of one request. Call `discard` for whatever was not committed."""

    def __init__(self, objects: ObjectStore, *, most_files: int) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[ReceivedFile] = []
        self._objects = objects
        self._most_files = most_files
        self._open: tuple[str, ObjectWriter] | None = None
        self._field: tuple[str, bytearray] | None = None

    @classmethod
    def of(cls, objects: ObjectStore, files: Iterable[ReceivedFile]) -> "Intake":
        """Make one of files that came another way."""
        intake = cls(objects, most_files=0)
        intake.files.extend(files)
        return intake

    @property
    def params(self) -> Params:
        return Params(self.fields)

    def add_file(self, name: str) -> ReceivedFile:
        """Stage a further file, which did not come with the body."""
        file = ReceivedFile(name, self._objects.writer())
        self.files.append(file)
        return file

    def discard(self) -> None:
        """Throw away every staged file; committed ones are not touched."""
        if self._open:
            self._open[1].abort()
        for file in self.files:
            file.writer.abort()

    async def receive(self, stream: AsyncIterator[bytes], content_type: str) -> None:
        """Read the whole body; memory does not grow with it.

        Raises UploadTooLarge for too many or too long parts, InputInvalid when the body is malformed and SaveFailed
        when it cannot be staged.
        """
        try:
            await self._receive(stream, *parse_options_header(content_type))
        except ColdshelfError:
            await drain(stream)
            raise
        except OSError as error:
            log.exception("upload.staging_failed")
            await drain(stream)
            raise SaveFailed from error

    async def _receive(self, stream: AsyncIterator[bytes], kind: str, options: dict[str, str]) -> None:
        if kind == "multipart/form-data":
            if not options.get("boundary"):
                raise InputInvalid("The Content-Type multipart/form-data has no boundary")
            await self._receive_parts(stream, options["boundary"])
        elif _is_file(kind):
            self._begin_file("")
            async for chunk in stream:
                self._data(chunk)
            self._end()
        elif kind == "application/x-www-form-urlencoded":
            self.fields += await _urlencoded(stream)
        else:
            await drain(stream)

    async def _receive_parts(self, stream: AsyncIterator[bytes], boundary: str) -> None:
        parser: PushMultipartParser | None = None
        try:
            async for chunk in stream:
                if chunk:
                    # header_charset: latin-1 takes any byte; `_text` makes UTF-8 of it where it is
                    parser = parser or PushMultipartParser(
                        boundary, max_segment_count=MOST_PARTS + self._most_files, header_charset="latin1"
                    )
                    for event in parser.parse(chunk):
                        self._event(event)
            if parser is not None:
                parser.close()
        except ParserLimitReached as error:
            raise UploadTooLarge(f"The upload has too many parts or too long headers: {error}") from error
        except MultipartError as error:
            raise InputInvalid(f"The multipart body is malformed: {error}") from error

    def _event(self, event: MultipartSegment | bytearray | bytes | None) -> None:
        if isinstance(event, MultipartSegment):
            if event.filename is not None or _is_file(event.content_type or ""):
                self._begin_file(_file_name(event.filename or ""))
            else:
                self._field = (_text(event.name), bytearray())
        elif event is not None:
            self._data(bytes(event))
        else:
            self._end()

    def _begin_file(self, name: str) -> None:
        if len(self.files) >= self._most_files:
            raise UploadTooLarge(f"The upload has more than {self._most_files} files")
        self._open = (name, self._objects.writer())

    def _data(self, chunk: bytes) -> None:
        if self._open:
            self._open[1].write(chunk)
        elif self._field:
            self._field[1].extend(chunk)
            if len(self._field[1]) > LARGEST_VALUE:
                raise UploadTooLarge(f"The field {self._field[0]} is longer than {LARGEST_VALUE:,} bytes")
            if len(self._field[1]) > LARGEST_FIELD:
                raise UploadTooLarge(f"The field {self._field[0]} is longer than {LARGEST_FIELD:,} bytes")

    def _end(self) -> None:
        if self._open:
            name, writer = self._open
            self._open = None
            if not name and writer.size == 0:  # a browser's file field in which nothing was chosen
                writer.abort()
            else:
                self.files.append(ReceivedFile(name, writer))
        elif self._field:
            name, content = self._field
            self._field = None
            try:
                self.fields.append((name, content.decode()))
            except UnicodeDecodeError as error:
                raise InputInvalid(f"The field {name} is not UTF-8") from error


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Read the rest and forget it: a caller who is cut off while sending never sees the answer."""
    with suppress(ColdshelfError):  # the bound of the body: then it is cut off after all
        async for _ in stream:
            pass


async def _urlencoded(stream: AsyncIterator[bytes]) -> list[tuple[str, str]]:
    content = bytearray()
    async for chunk in stream:
        content.extend(chunk)
        if len(content) > LARGEST_FIELD:
            raise UploadTooLarge(
                f"The form is longer than {LARGEST_FIELD:,} bytes; send pictures as multipart/form-data"
            )
    try:
        return parse_qsl(content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARTS)
    except UnicodeDecodeError as error:
        raise InputInvalid("The form is not UTF-8") from error
    except ValueError as error:
        raise UploadTooLarge(f"The form has more than {MOST_PARTS} fields") from error


def _is_file(kind: str) -> bool:
    return kind.startswith("image/") or kind == "application/octet-stream"


def _text(header: str) -> str:
    """Make UTF-8 of a header's value where it is UTF-8; older clients send Latin-1."""
    try:
        return header.encode("latin1").decode()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return header


def _file_name(header: str) -> str:
    return kept_name(_text(header))


def kept_name(sent: str) -> str:
    """Give the part of a sent file name that is kept: what can be printed, and not too long."""
    return "".join(letter for letter in sent if letter.isprintable())[:LONGEST_FILE_NAME]
