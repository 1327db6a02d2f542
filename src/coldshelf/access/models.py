"""What the room hands out: clients and tokens."""

from dataclasses import dataclass
from datetime import datetime

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
class ApiToken:
    """A token of a user, without its secret."""

    id: int
    user_id: UserId
    name: str
    expires_on: datetime | None
    revoked_on: datetime | None
