"""The words of the tus protocol 1.0 (https://tus.io/protocols/resumable-upload): headers and errors. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from coldshelf.kit.errors import ColdshelfError, Conflict, Gone, InputInvalid, NotFound, TooLarge, TooManyRequests
from coldshelf.kit.web.params import Params

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,checksum,termination"
ALGORITHMS = ("sha1", "sha256", "sha512", "md5")
CONTENT_TYPE = "application/offset+octet-stream"
LONGEST_METADATA = 16 * 1024
_NUMBER = re.compile(r"[0-9]{1,18}")
_NAME = re.compile(r"[\x21-\x2b\x2d-\x7e]+")


class VersionUnsupported(ColdshelfError):
    """The header Tus-Resumable must be 1.0.0"""

    code = "tus_version_unsupported"
    status = 412


class UploadNotFound(NotFound):
    """There is no such upload"""

    code = "upload_not_found"


class UploadGone(Gone):
    """The upload ended or expired"""

    code = "upload_gone"
    cure = "Begin a new one."


class OffsetMismatch(Conflict):
    """The upload stands at another offset"""

    code = "offset_mismatch"
    cure = "Ask for the offset with HEAD and go on there."


class AlreadyStored(Conflict):
    """The upload is stored and cannot be ended"""

    code = "already_stored"


class ContentTypeWrong(ColdshelfError):
    """Content-Type must be application/offset+octet-stream"""

    code = "content_type_wrong"
    status = 415


class ChecksumMismatch(ColdshelfError):
    """The checksum does not fit the bytes; they were thrown away"""

    code = "checksum_mismatch"
    status = 460  # the protocol's own number


class TooManyUploads(TooManyRequests):
    """Too many uploads of this credential are under way"""

    code = "too_many_uploads"
    cure = "Finish or delete some of them."


class LineBroken(ColdshelfError):
    """The line broke before all bytes had come"""

    code = "line_broken"


class FileRefused(InputInvalid):
    """The file was refused"""

    code = "file_refused"


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of one request must hash to."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:  # hashlib's private type
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def check(self, running: Any) -> None:  # the same
        if not hmac.compare_digest(running.digest(), self.digest):
            raise ChecksumMismatch


def check_version(headers: Mapping[str, str]) -> None:
    if headers.get("tus-resumable") != VERSION:
        raise VersionUnsupported


def read_number(headers: Mapping[str, str], name: str) -> int:
    """Read Upload-Length or Upload-Offset; raise InputInvalid when it is none."""
    text = headers.get(name.lower(), "")
    if not _NUMBER.fullmatch(text):
        raise InputInvalid(f"{name} takes a number of bytes, not {text[:40]!r}.")
    return int(text)


def read_length(headers: Mapping[str, str], *, most: int) -> int:
    if "upload-defer-length" in headers:
        raise InputInvalid("Upload-Defer-Length is not offered: say Upload-Length.")
    length = read_number(headers, "Upload-Length")
    if length > most:
        raise TooLarge(f"Upload-Length is {length:,}; a file has at most {most:,} bytes.")
    return length


def read_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Read Upload-Checksum: an algorithm and a digest in Base64."""
    if "upload-checksum" not in headers:
        return None
    algorithm, _, digest = headers["upload-checksum"].partition(" ")
    if algorithm not in ALGORITHMS:
        raise InputInvalid(f"Upload-Checksum takes {', '.join(ALGORITHMS)}, not {algorithm[:40]!r}.")
    return Checksum(algorithm, _decoded("Upload-Checksum", digest))


def read_metadata(text: str) -> Params:
    """Read Upload-Metadata: names with values in Base64, separated by commas; they are the upload's parameters."""
    if len(text) > LONGEST_METADATA:
        raise TooLarge(f"Upload-Metadata has at most {LONGEST_METADATA:,} characters.")
    pairs = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition(" ")
        if not _NAME.fullmatch(name):
            raise InputInvalid(f"Upload-Metadata: {name[:40]!r} is no name.")
        pairs.append((name, _text(name, value)))
    if len({name.lower() for name, _ in pairs}) < len(pairs):
        raise InputInvalid("Upload-Metadata names something twice.")
    return Params([*pairs, ("action", "uploadImage")])


def _text(name: str, value: str) -> str:
    try:
        return _decoded(f"Upload-Metadata: {name}", value).decode()
    except UnicodeDecodeError as error:
        raise InputInvalid(f"Upload-Metadata: {name} is not UTF-8 in Base64.") from error


def _decoded(place: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputInvalid(f"{place} is not Base64.") from error


def http_date(moment: datetime) -> str:
    """Write a moment as Upload-Expires does (RFC 9110)."""
    return format_datetime(moment, usegmt=True)
