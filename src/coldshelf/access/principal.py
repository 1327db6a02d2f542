"""Who is asking: the result of a sign-in, passed to every use case."""

from dataclasses import dataclass
from enum import StrEnum

from coldshelf.kit.errors import NotAllowed
from coldshelf.kit.ids import ClientId, UserId

OPERATORS = ClientId(0)
"""The tenant row under which operator accounts live: they belong to no client."""


class Role(StrEnum):
    """The published roles, the operator, and devices."""

    CLIENT_ADMIN = "Client Admin"
    INSTALLER = "Installer"
    SALES_REP = "Sales Rep"
    OPERATOR = "Operator"
    DEVICE = "Device"


PEOPLE = frozenset({Role.CLIENT_ADMIN, Role.INSTALLER, Role.SALES_REP})
"""Every role of a person who belongs to a client."""
UPLOADERS = PEOPLE | {Role.DEVICE}
ADMINS = frozenset({Role.CLIENT_ADMIN})
INSTALLERS = frozenset({Role.CLIENT_ADMIN, Role.INSTALLER})
REVIEWERS = frozenset({Role.CLIENT_ADMIN})
"""Who decides on pictures that wait for review."""
PLANNERS = frozenset({Role.CLIENT_ADMIN})
"""Who makes and changes planograms: a permission of its own (contract 1.3)."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user or device. `client_id` is None for an operator."""

    client_id: ClientId | None
    user_id: UserId
    user_name: str
    role: Role
    smart_device_id: int | None = None
    credential: str = ""

    def require(self, allowed: frozenset[Role]) -> None:
        """Raise NotAllowed unless the role is one of the allowed ones."""
        if self.role not in allowed:
            raise NotAllowed(f"The role {self.role} may not do this; it takes {', '.join(sorted(allowed))}.")
