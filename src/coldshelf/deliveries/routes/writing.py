"""What every change by a route of this room has alike: a client admin, once, in one transaction."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response
from pydantic import BaseModel

from coldshelf.access.principal import ADMINS, Principal
from coldshelf.deliveries.models import SUBSCRIPTIONS
from coldshelf.kit.db import Connection
from coldshelf.records.handlers import answer_once, answered

Write = Callable[[Connection], Awaitable[BaseModel]]


def require_admin(principal: Principal, name: str = SUBSCRIPTIONS) -> None:
    """Raise NotAllowed unless records of this name may be written, those of every outlet."""
    principal.require_write(name, ADMINS)
    principal.require_every_outlet()


async def write_as_admin(
    request: Request, principal: Principal, name: str, wish: BaseModel | None, write: Write, *, status: int = 200
) -> Response:
    """Let an admin who may write records of this name change something; a repeated request is answered as before."""
    require_admin(principal, name)

    async def write_and_say(connection: Connection) -> Response:
        return answered(await write(connection), status=status)

    return await answer_once(request, principal, wish, write_and_say)
