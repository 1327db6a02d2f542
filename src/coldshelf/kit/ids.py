"""Identifiers: `ClientId` is the tenant; GUIDs are random with 122 bits; time-sorted ids name events and runs."""

import secrets
import time
import uuid
from typing import NewType

ClientId = NewType("ClientId", int)
UserId = NewType("UserId", int)


def new_guid() -> uuid.UUID:
    """Make an id that nobody can guess (version 4)."""
    return uuid.uuid4()


def new_sorted_id() -> uuid.UUID:
    """Make an id that sorts by time (version 7, RFC 9562 section 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | (0x7 << 76) | (secrets.randbits(12) << 64) | (0b10 << 62) | secrets.randbits(62)
    return uuid.UUID(int=value)
