"""What deliveries are given of the rest of the house: they know neither its rooms nor their words."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from coldshelf.access.links import Purposes
from coldshelf.deliveries.models import Answer, Delivery, Json, Parcel
from coldshelf.kit.db import Connection
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.registry import Registry


class OutletPlace(Protocol):
    """Where an outlet stands in the sales organisation; `market_ids` are its own and those above it."""

    @property
    def channel_id(self) -> int | None: ...

    @property
    def market_ids(self) -> Collection[int]: ...


FindPlace = Callable[[Connection, int], Awaitable[OutletPlace]]
"""Takes the id of an outlet."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What is sent of a record besides its columns: under `name`, and where it can be read (`link`, with `{key}`).

    Receivers that are limited to some rows or fields get the link alone, which asks for what they may see. `schema`
    and `sample` say what it looks like.
    """

    name: str
    link: str
    load: Callable[[Connection, int], Awaitable[Json | None]]
    schema: Json = field(default_factory=dict)
    sample: Json = field(default_factory=dict)


Carry = Callable[[Runtime, Delivery, Parcel], Awaitable[Answer]]
"""Takes a parcel to its address; raises CallFailed when that may work later, UrlInvalid when it never will."""


FindPicture = Callable[[Runtime, ClientId, Json], Awaitable[bytes | None]]
"""Takes a record as its receiver sees it; gives the JPEG that shows what it is about."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The datasets that events are about; additions and pictures by the name of a dataset.

    `carry` takes every parcel in place of its channel: a sandbox keeps them. `meanings` are those of the public events,
    `about` says which dataset an event is about. `purposes` are those of links.
    """

    registry: Registry
    additions: Mapping[str, Addition] = field(default_factory=dict)
    pictures: Mapping[str, FindPicture] = field(default_factory=dict)
    meanings: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    purposes: Purposes = field(default_factory=dict)
    carry: Carry | None = None
