"""The handlers that put public events on their way."""

from collections.abc import Iterable

from coldshelf.deliveries.events import DISABLED
from coldshelf.deliveries.fanout import send_to_all, tell_admins
from coldshelf.deliveries.surroundings import FindPlace
from coldshelf.kit.events import EventType, Handler, Step


def delivery_handlers(kinds: Iterable[EventType], find_place: FindPlace) -> tuple[Handler, ...]:
    """Give one handler for each public event."""

    async def fan_out(step: Step) -> None:
        async with step.effect() as connection:
            await send_to_all(connection, step.event, find_place, step.bus.clock.now())
            if step.event.type == DISABLED.name and step.run.settings.smtp_host:
                await tell_admins(connection, step.event, step.bus.clock.now())

    return tuple(Handler(f"deliveries.{kind.name}", kind.name, fan_out) for kind in kinds if kind.public)
