"""Roles of a client's own, who has them, and what users and tokens are limited to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from coldshelf.access import store
from coldshelf.access.errors import RoleInUse, RoleNotFound, TokenNotFound, UserNotFound
from coldshelf.access.models import AccessLimit, SecurityRole
from coldshelf.access.principal import PEOPLE, Permission, Role, reading, writing
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid
from coldshelf.kit.ids import ClientId, UserId

LONGEST_NAME = 100
RIGHTS: dict[str, tuple[bool, bool]] = {"none": (False, False), "read": (True, False), "write": (True, True)}
"""What may be said of an entity or dataset: whether it may be read, and written."""


@dataclass(frozen=True, slots=True)
class Known:
    """What roles and limits may name: datasets with their fields (never hidden: `fixed`), and what limits rows.

    `governed` maps entities that a permission of its own lets one write to it.
    """

    fields: Mapping[str, frozenset[str]]
    fixed: Mapping[str, frozenset[str]]
    groups: frozenset[str]
    dimensions: tuple[str, ...]
    governed: Mapping[str, Permission]


@dataclass(frozen=True, slots=True)
class LimitDraft:
    """What a user or a token is to be limited to; None or empty: not limited in that way."""

    grants: Mapping[str, Sequence[int]]
    datasets: Sequence[str] | None
    hidden: Sequence[str]


async def list_roles(connection: Connection, client_id: ClientId) -> list[SecurityRole]:
    return await store.roles(connection, client_id)


async def load_role(connection: Connection, client_id: ClientId, role_id: int) -> SecurityRole:
    """Load a role of the client's own; raise RoleNotFound."""
    role = await store.role_by_id(connection, client_id, role_id)
    if role is None:
        raise RoleNotFound(f"There is no role with id {role_id}")
    return role


async def role_by_name(connection: Connection, client_id: ClientId, name: str) -> SecurityRole:
    """Find a role of the client's own by its name in any letter case; raise RoleNotFound."""
    role = await store.role_by_name(connection, client_id, name)
    if role is None:
        raise RoleNotFound(f"There is no role of your own called {name!r}")
    return role


async def save_role(connection: Connection, client_id: ClientId, role: SecurityRole) -> SecurityRole:
    """Add a role (id 0) or change it; one named like a published role stands in its place for this client.

    Raises InputInvalid, RoleNotFound, RoleNameTaken.
    """
    _check_role(role)
    if not role.id:
        return replace(role, id=await store.insert_role(connection, client_id, role))
    before = await load_role(connection, client_id, role.id)
    if before.name in PEOPLE and role.name != before.name:
        raise InputInvalid(f"The role {before.name} stands in the place of the published one and keeps its name")
    await store.update_role(connection, client_id, role)
    return role


async def delete_role(connection: Connection, client_id: ClientId, role_id: int) -> SecurityRole:
    """Delete a role; raise RoleInUse while users have it, unless the published role of its name takes its place."""
    role = await load_role(connection, client_id, role_id)
    if role.name not in PEOPLE and (users := await store.users_of_role(connection, client_id, role.name)):
        raise RoleInUse(f"{users} users have the role {role.name}")
    await store.delete_role(connection, client_id, role_id)
    return role


async def set_user_role(connection: Connection, client_id: ClientId, user_id: UserId, name: str) -> str:
    """Give a user a published role or one of the client's own; return its name. Raise RoleNotFound, UserNotFound."""
    known = {role.value.lower(): role.value for role in PEOPLE}
    role = known.get(name.lower()) or (await role_by_name(connection, client_id, name)).name
    if not await store.update_user_role(connection, client_id, user_id, role):
        raise UserNotFound(f"There is no user with id {user_id}")
    return role


async def list_limits(connection: Connection, client_id: ClientId) -> list[AccessLimit]:
    return await store.limits(connection, client_id)


async def set_limit(
    connection: Connection,
    client_id: ClientId,
    user_id: UserId,
    token_id: int | None,
    *,
    draft: LimitDraft,
    known: Known,
) -> int:
    """Limit a user, or one token of it, to what the draft says and nothing else; return the id of the limit.

    Raises InputInvalid, UserNotFound, TokenNotFound.
    """
    _check_limit(draft, known)
    limit_id = await store.put_limit(
        connection, client_id, user_id, token_id, datasets=draft.datasets, hidden=draft.hidden
    )
    if limit_id is None:
        raise UserNotFound if token_id is None else TokenNotFound
    await store.replace_grants(connection, client_id, limit_id, draft.grants, known.dimensions)
    return limit_id


def read_rights(rights: Mapping[str, object], permissions: Mapping[str, object], known: Known) -> dict[str, bool]:
    """Turn `{"Asset": "read"}` and `{"export": false}` into what a role says; raise InputInvalid with the cure."""
    said: dict[str, bool] = {}
    for name, right in rights.items():
        dataset = _known_name(name, known.fields, "entity or dataset")
        if not isinstance(right, str) or right.lower() not in RIGHTS:
            raise InputInvalid(f"Rights.{dataset} takes {', '.join(RIGHTS)}")
        said[reading(dataset)], may_write = RIGHTS[right.lower()]
        if may_write and dataset in known.governed:
            raise InputInvalid(f"Rights.{dataset}: who may write it says the permission {known.governed[dataset]}")
        said[known.governed.get(dataset) or writing(dataset)] = may_write
    for name, holds in permissions.items():
        permission = _known_name(name, [item.value for item in Permission], "permission")
        if not isinstance(holds, bool):
            raise InputInvalid(f"Permissions.{permission} takes true or false")
        said[permission] = holds
    return said


def _check_role(role: SecurityRole) -> None:
    if not (0 < len(role.name.strip()) <= LONGEST_NAME and role.name.isprintable()):
        raise InputInvalid(f"Role name: 1 to {LONGEST_NAME} printable characters")
    if role.based_on not in PEOPLE:
        raise InputInvalid(f"BasedOn takes {', '.join(sorted(PEOPLE))}")
    same = next((item for item in Role if item.lower() == role.name.strip().lower()), None)
    if same is not None and (same not in PEOPLE or same is not role.based_on or role.name != same):
        raise InputInvalid(f"A role called {same} stands in the place of the published one: BasedOn must be {same}")


def _check_limit(draft: LimitDraft, known: Known) -> None:
    for dimension, ids in draft.grants.items():
        _known_name(dimension, known.dimensions, "kind of grant")
        if not all(0 < one < 2**63 for one in ids):
            raise InputInvalid(f"Grants.{dimension} takes a list of ids")
    for name in draft.datasets or ():
        _known_name(name, known.fields, "entity or dataset")
    for name in draft.hidden:
        _check_hidden(name, known)


def _check_hidden(name: str, known: Known) -> None:
    dataset, _, wire = name.rpartition(".")
    if name in known.groups:
        return
    places = [_known_name(dataset, known.fields, "entity or dataset")] if dataset else list(known.fields)
    _known_name(wire, {field for place in places for field in known.fields[place]}, "field")
    if any(wire in known.fixed[place] for place in places):
        raise InputInvalid(f"HiddenFields: {wire} cannot be hidden, no list can do without it")


def _known_name(name: str, known: Collection[str], what: str) -> str:
    if name in known:
        return name
    close = get_close_matches(name, known, n=1)
    raise InputInvalid(f"There is no {what} {name[:60]!r}" + (f"; did you mean {close[0]}?" if close else ""))
