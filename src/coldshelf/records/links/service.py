"""Makes links by hand, to records that are there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coldshelf.access.links import Minted, Purpose
from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.service import mint
from coldshelf.kit.db import Connection
from coldshelf.kit.errors import InputInvalid, Place
from coldshelf.kit.ids import UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.filters import Condition, known_column
from coldshelf.records.limits import not_found, require_read
from coldshelf.records.links.datasets import LINKS
from coldshelf.records.registry import Registry
from coldshelf.records.selecting import select_ids


@dataclass(frozen=True, slots=True)
class Draft:
    """A link to be made; without `expires_on` it lives as long as is usual for its purpose."""

    purpose: Purpose
    key: int
    recipient: str = ""
    user_id: UserId | None = None
    expires_on: datetime | None = None


def check_rights(principal: Principal, registry: Registry, purpose: Purpose) -> None:
    """Raise NotAllowed unless the principal may itself do what the link lets its holder do."""
    principal.require_write(LINKS, ADMINS)
    principal.require_every_outlet()
    require_read(principal, registry.datasets[purpose.dataset])
    if purpose.permission is not None:
        principal.require_permission(purpose.permission)


async def make_link(
    run: Runtime, connection: Connection, principal: Principal, registry: Registry, draft: Draft
) -> Minted:
    """Make a link in the caller's transaction; raise NotAllowed, RecordNotFound or InputInvalid."""
    check_rights(principal, registry, draft.purpose)
    dataset = registry.datasets[draft.purpose.dataset]
    named = Condition(known_column(dataset, dataset.key), "=", (draft.key,))
    if not await select_ids(connection, principal, dataset, [named]):
        raise not_found(dataset, draft.key)
    return await mint(
        run,
        connection,
        principal.client,
        draft.purpose,
        draft.key,
        recipient=draft.recipient,
        user_id=draft.user_id,
        lifetime=_lifetime(run, draft.expires_on),
    )


def _lifetime(run: Runtime, expires_on: datetime | None) -> timedelta | None:
    if expires_on is None:
        return None
    lifetime = expires_on.astimezone(UTC) - run.clock.now()
    if lifetime <= timedelta(0):
        place = Place(pointer="/ExpiresOn", detail="lies in the past")
        raise InputInvalid("ExpiresOn lies in the past.", places=(place,))
    return lifetime
