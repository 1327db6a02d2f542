"""A client for programs that talk to a Coldshelf: typed, with and without await (docs/client.md).

A leaf: it imports nothing else of the house, and of other packages httpx alone.
"""

from coldshelf.client.aio import AsyncClient
from coldshelf.client.core import Retries
from coldshelf.client.errors import (
    Conflict,
    Gone,
    ImportRefused,
    KeyReused,
    NoAnswer,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refused,
    ServerFailed,
    ShelfError,
    TooLarge,
    TooManyRequests,
    UploadRefused,
)
from coldshelf.client.listing import AsyncChanges, AsyncListing, Changes, Listing
from coldshelf.client.marks import FileMarks, Marks
from coldshelf.client.models import BadCell, Exported, ImportReport, Page, Record, Saved, Uploaded
from coldshelf.client.sync import Client

__all__ = [
    "AsyncChanges",
    "AsyncClient",
    "AsyncListing",
    "BadCell",
    "Changes",
    "Client",
    "Conflict",
    "Exported",
    "FileMarks",
    "Gone",
    "ImportRefused",
    "ImportReport",
    "KeyReused",
    "Listing",
    "Marks",
    "NoAnswer",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "Page",
    "Record",
    "Refused",
    "Retries",
    "Saved",
    "ServerFailed",
    "ShelfError",
    "TooLarge",
    "TooManyRequests",
    "UploadRefused",
    "Uploaded",
]
