"""How the further operations of this room write: as a client admin who sees every outlet, in one transaction."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from pydantic import BaseModel

from coldshelf.access.principal import ADMINS, Principal
from coldshelf.deliveries.models import SUBSCRIPTIONS
from coldshelf.kit.db import Connection
from coldshelf.records.handlers import answer_once, answered


def require_admin(principal: Principal) -> None:
    """Raise NotAllowed unless subscriptions may be written, those of every outlet."""
    principal.require_write(SUBSCRIPTIONS, ADMINS)
    principal.require_every_outlet()


async def write_answer(
    request: Request,
    principal: Principal,
    wish: BaseModel | None,
    write: Callable[[Connection], Awaitable[BaseModel]],
    *,
    status: int = 200,
) -> Response:
    """Write, once for each Idempotency-Key, and answer what the write gives."""
    require_admin(principal)

    async def write_and_say(connection: Connection) -> Response:
        return answered(await write(connection), status=status)

    return await answer_once(request, principal, wish, write_and_say)
