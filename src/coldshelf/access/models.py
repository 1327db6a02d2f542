"""What the room hands out: clients, tokens, roles and limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from coldshelf.access.principal import Role
from coldshelf.kit.ids import ClientId, UserId


@dataclass(frozen=True, slots=True)
class Client:
    """A tenant."""

    id: ClientId
    code: str
    name: str
    time_zone: str
    demands_planogram: bool
    reviews_by_hand: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class Contact:
    """How a user can be told something; empty where nothing is known."""

    id: UserId
    email: str
    phone: str
    preferred: str
    time_zone: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a user, without its secret."""

    id: int
    user_id: UserId
    name: str
    expires_on: datetime | None
    revoked_on: datetime | None


@dataclass(frozen=True, slots=True)
class SecurityRole:
    """A role of a client's own: what it is based on, and what it has or lacks against that.

    `own_outlets`: its users see only the outlets whose primary sales rep they are.
    """

    id: int
    name: str
    based_on: Role
    rights: Mapping[str, bool]
    own_outlets: bool


@dataclass(frozen=True, slots=True)
class AccessLimit:
    """What a user, or one token of it, is limited to; `grants` are ids by dimension, None in `datasets` means all."""

    id: int
    user_id: UserId
    token_id: int | None
    grants: Mapping[str, Sequence[int]]
    datasets: Sequence[str] | None
    hidden: Sequence[str]
