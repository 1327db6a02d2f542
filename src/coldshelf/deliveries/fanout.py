"""Each public event goes on its way to everyone who wants it, in the transaction of its step."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from yarl import URL

from coldshelf.deliveries import store
from coldshelf.deliveries.catalogue import EVERYTHING, means, split
from coldshelf.deliveries.surroundings import FindPlace, OutletPlace
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event


async def send_to_all(connection: Connection, event: Event, find_place: FindPlace, now: datetime) -> None:
    """Write one delivery for each subscription that means the event, and for each `callbackUrl` that it carries."""
    found = await store.listening(connection)
    place: OutletPlace | None = None
    if event.location_id is not None and any(one["market_id"] or one["channel_id"] for one in found):
        place = await find_place(connection, event.location_id)
    wanted = [(one["id"], one["url"]) for one in found if _means(dict(one), event, place)]
    await put_on_its_way(connection, event, [*wanted, *((None, url) for url in event.callback_urls)], now)


async def put_on_its_way(
    connection: Connection, event: Event, receivers: Iterable[tuple[int | None, str]], now: datetime
) -> None:
    """Write the deliveries of an event to these receivers, (subscription, address); the first attempt is due now."""
    told = [(subscription, url, endpoint_of(url)) for subscription, url in receivers]
    if told:
        await store.add_deliveries(connection, event, told, now)


def endpoint_of(url: str) -> str:
    """Name the server behind an address: what shares it waits for each other, and for nobody else."""
    try:
        return str(URL(url).origin())
    except ValueError:
        return url


def _means(subscription: Mapping[str, Any], event: Event, place: OutletPlace | None) -> bool:
    words = split(subscription["events"] or EVERYTHING)
    return any(means(word, event.type) for word in words) and all(
        subscription[name] is None or subscription[name] in held
        for name, held in (
            ("location_id", (event.location_id,)),
            ("asset_id", (event.asset_id,)),
            ("channel_id", (place.channel_id,) if place else ()),
            ("market_id", place.market_ids if place else ()),
        )
    )
