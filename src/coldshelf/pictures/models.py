"""The shapes that pictures have inside the house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from coldshelf.kit.objects import ObjectWriter

STORED = 200
"""Status of a resumable upload that became a picture."""

PictureId = NewType("PictureId", int)


class Kind(StrEnum):
    """Kinds of renditions. Camera pictures are `cam1`, `cam2` …; `original` is never served."""

    ORIGINAL = "original"
    STITCHED = "stitched"
    ANNOTATED = "annotated"


class Outcome(StrEnum):
    """The published submission outcomes, and `PROVISIONED`: a reviewer approved what had been pending."""

    AUTO_PROVISIONED = "AutoProvisioned"
    PROVISIONED = "Provisioned"
    PENDING = "Pending"
    REJECTED = "Rejected"


class Status:
    """Status numbers of a picture (contract 2.4)."""

    REJECTED = -1
    UNPROVISIONED = 0
    PROVISIONED = 2
    QUEUED = 12
    PROCESSED = 13


@dataclass(slots=True)
class ReceivedFile:
    """A file of an upload, staged in the object store under no key yet."""

    name: str
    writer: ObjectWriter

    @property
    def size(self) -> int:
        """Bytes received."""
        return self.writer.size


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an accepted upload, and why."""

    outcome: Outcome
    status_id: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An original in the object store; `place` is its place from the left, from 1."""

    number: int
    place: int
    file_name: str
    object_key: str
    sha256: bytes
    bytes: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as its steps need it."""

    id: PictureId
    guid: UUID
    asset_id: int | None
    location_id: int | None
    planogram_id: int | None
    scene_type: str
    status_id: int
    submission_outcome: str
    rejection_reason: str | None
    is_stitched: bool
    columns: int | None
    items_per_column: int | None
    serial_number: str | None
    location_code: str | None
    location_name: str | None
    city: str | None
    state: str | None
    country: str | None
    captured_on: datetime
    callback_url: str | None
    prepared_on: datetime | None


@dataclass(frozen=True, slots=True)
class Placement:
    """The columns of a picture that say where it was taken, with the names of that time."""

    asset_id: int | None
    serial_number: str | None
    door_count: int | None
    columns: int | None
    shelves: int | None
    items_per_column: int | None
    planogram_id: int | None
    planogram_name: str | None
    location_id: int | None
    location_code: str | None
    location_name: str | None
    city: str | None
    state: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Reviewable:
    """A picture as a reviewer's decision needs it."""

    id: PictureId
    guid: UUID
    status_id: int
    image_status: str
    submission_outcome: str
    rejection_reason: str | None
    scene_type: str
    asset_id: int | None
    serial_number: str | None
    store_number: str | None
    location_id: int | None
    location_code: str | None
    planogram_id: int | None
    captured_on: datetime
    captured_local: datetime
    capture_time_source: str
    prepared_on: datetime | None
    reviewer: str | None
    verified_on: datetime | None


@dataclass(frozen=True, slots=True)
class PastReview:
    """The newest decision on a picture; `before_image` is JSON of what it changed."""

    decision: str
    created_on: datetime
    created_by_user: str
    created_by_user_id: int | None
    to_status_id: int
    before_image: str


@dataclass(frozen=True, slots=True)
class Resumable:
    """An upload that arrives in parts; `received` bytes are durable under `part_keys`.

    `metadata` is what the client sent. `status` is the HTTP status of its end; None when it was cut off.
    """

    guid: UUID
    user_id: int
    length: int
    metadata: str
    received: int
    part_keys: Sequence[str]
    expires_on: datetime
    ended_on: datetime | None = None
    status: int | None = None
    answer: bytes | None = None

    @property
    def is_stored(self) -> bool:
        return self.status == STORED

    @property
    def is_whole(self) -> bool:
        return self.received == self.length


@dataclass(frozen=True, slots=True)
class Rendition:
    """A derived picture: its kind, what made it, where it is, and its size in pixels and bytes."""

    kind: str
    made_by: str
    object_key: str
    width: int
    height: int
    bytes: int
