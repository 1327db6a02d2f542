"""Who is asking: the result of a sign-in, passed to every use case."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Permission(StrEnum):
    """What is allowed apart from reading and writing an entity or dataset."""

    UPLOAD = "picture.upload"
    REVIEW = "picture.review"
    REPROCESS = "picture.reprocess"
    PLANOGRAM_EDIT = "planogram.edit"
    PLANOGRAM_ASSIGN = "planogram.assign"
    EXPORT = "export"
    IMPORT = "import"
    ROLES = "roles"

    @property
    def meaning(self) -> str:
        return _PERMISSIONS[self][1]

    @property
    def holders(self) -> frozenset[Role]:
        """The published roles that have it."""
        return _PERMISSIONS[self][0]


_PERMISSIONS: dict[Permission, tuple[frozenset[Role], str]] = {
    Permission.UPLOAD: (UPLOADERS, "Send pictures"),
    Permission.REVIEW: (REVIEWERS, "Approve or reject pending pictures"),
    Permission.REPROCESS: (ADMINS, "Look at pictures again, apply and discard what is found"),
    Permission.PLANOGRAM_EDIT: (PLANNERS, "Add, change, copy and delete planograms"),
    Permission.PLANOGRAM_ASSIGN: (PLANNERS, "Say which planogram an asset has"),
    Permission.EXPORT: (PEOPLE, "Export lists as files"),
    Permission.IMPORT: (ADMINS, "Import files"),
    Permission.ROLES: (ADMINS, "Manage roles, who has them, and what users and tokens are limited to"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a user or a token is limited to.

    `outlets` names its rows in the table of expanded grants; None: every outlet. `datasets` None: all of them.
    `hidden`: names of fields, alone or behind the name of their dataset, and of groups of fields. `scope` changes
    whenever rows come into sight or leave it although they did not change.
    """

    outlets: int | None = None
    datasets: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()
    scope: str = ""


UNLIMITED = Limit()


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user or device. `client_id` is None for an operator.

    `role` is the published role, or that which the client's own role is based on; `rights` is what the own role says
    otherwise: a Permission or the name of an entity or dataset with `:read` or `:write`, and whether it has it.
    """

    client_id: ClientId | None
    user_id: UserId
    user_name: str
    role: Role
    smart_device_id: int | None = None
    credential: str = ""
    role_name: str = ""
    rights: Mapping[str, bool] = field(default_factory=dict)
    limit: Limit = UNLIMITED

    @property
    def client(self) -> ClientId:
        """The client; raise NotAllowed for an operator."""
        if self.client_id is None:
            raise NotAllowed("An operator account belongs to no client.")
        return self.client_id

    def require(self, allowed: frozenset[Role], right: str = "") -> None:
        """Raise NotAllowed unless the role is one of the allowed ones, or the client's own role has the right."""
        if not self.rights.get(right, self.role in allowed):
            said = f"; it takes {', '.join(sorted(allowed))}" if right not in self.rights else f" ({right})"
            raise NotAllowed(f"The role {self.role_name or self.role} may not do this{said}.")
        if right == Permission.ROLES and self.limit != UNLIMITED:
            # It could widen its own limit, or make a user without one.
            raise NotAllowed("A limited credential does not manage roles, users and limits.")

    def require_permission(self, permission: Permission) -> None:
        """Raise NotAllowed unless the role has the permission."""
        self.require(permission.holders, permission)

    def require_read(self, name: str, readers: frozenset[Role]) -> None:
        """Raise NotAllowed unless the entity or dataset may be read."""
        self.require(readers, reading(name))
        self._require_sight(name)

    def require_write(self, name: str, writers: frozenset[Role], permission: Permission | None = None) -> None:
        """Raise NotAllowed unless the entity may be written; `permission` stands for the right where it has one."""
        self.require(writers, permission or writing(name))
        self._require_sight(name)

    def require_every_outlet(self) -> None:
        """Raise NotAllowed for a credential that is limited to some outlets: what it asks for touches all."""
        if self.limit.outlets is not None:
            raise NotAllowed(
                "This reaches every outlet, and this credential is limited to some.",
                cure="Use a credential that is not limited.",
            )

    def _require_sight(self, name: str) -> None:
        if self.limit.datasets is not None and name not in self.limit.datasets:
            raise NotAllowed(
                f"This credential is limited to {', '.join(sorted(self.limit.datasets)) or 'nothing'}.",
                cure="Ask a client admin to add what you need to its limit.",
            )


def house(client_id: ClientId, name: str = "coldshelf") -> Principal:
    """Give the principal as which the house itself works on a client's records: jobs and the command line."""
    return Principal(client_id, UserId(0), name, Role.CLIENT_ADMIN)


def reading(name: str) -> str:
    """Name the right to read an entity or dataset."""
    return f"{name}:read"


def writing(name: str) -> str:
    """Name the right to write an entity."""
    return f"{name}:write"
