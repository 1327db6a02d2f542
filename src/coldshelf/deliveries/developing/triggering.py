"""An event that somebody wants to see: about a real record, through the real path, without anything having happened."""

import orjson

from coldshelf.access.principal import house
from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.errors import EventNotFound, NothingToTrigger
from coldshelf.deliveries.models import Json
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event, EventType
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.params import Params
from coldshelf.records.dataset import Dataset
from coldshelf.records.listing import list_records, read_list_request

ROOM = "deliveries"
"""Only the handlers of this room get it: those of others would change the record."""


async def find_trigger(
    run: Runtime, around: Surroundings, client_id: ClientId, kind: EventType, key: int | None
) -> Event:
    """Make the event about a record, the newest unless it is named; raise NothingToTrigger.

    It carries no `callbackUrl`: that belongs to the upload.
    """
    if kind.name == TEST:
        raise EventNotFound(
            f"{TEST} is about a subscription, not about a record", cure="POST /api/v1/subscriptions/{id}/test sends it."
        )
    dataset = around.registry.datasets[kind.dataset]
    record = await _record(run, client_id, dataset, key) if dataset.has_rows else None
    if record is None:
        wanted = f"There is no {dataset.name}" + (f" {key}" if key is not None else " yet")
        cure = "Name another one." if key is not None else "Make one first, for instance with: coldshelf demo"
        raise NothingToTrigger(f"{wanted} that {kind.name} could be about", cure=cure)
    return Event(
        type=kind.name,
        version=kind.version,
        client_id=client_id,
        dataset=dataset.name,
        key=record[dataset.key],
        occurred_on=run.clock.now(),
        location_id=record.get("LocationId"),
        asset_id=record.get("AssetId"),
        public=True,
        triggered=True,
    )


async def publish_trigger(run: Runtime, connection: Connection, event: Event) -> None:
    """Put it on its way to whoever is told of such events."""
    await run.events.publish(connection, event, only=ROOM)


async def _record(run: Runtime, client_id: ClientId, dataset: Dataset, key: int | None) -> Json | None:
    narrow = [] if key is None else [("filters", orjson.dumps({dataset.key: key}).decode())]
    wanted = Params([("limit", "1"), ("sort", dataset.key), ("dir", "DESC"), *narrow])
    answer = await list_records(run, house(client_id, ROOM), read_list_request(dataset, wanted, most=1))
    records: list[Json] = orjson.loads(await answer.whole())["records"]
    return records[0] if records else None
