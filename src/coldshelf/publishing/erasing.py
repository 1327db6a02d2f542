"""Legal erasure: the record becomes a tombstone at once; what was published of it is reached when readers know that.

For 35 days every delta brings the tombstone. Then the files and open tables that still hold the record are cleaned, and
what nobody here can reach is named in the report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from coldshelf.access.models import Client
from coldshelf.access.principal import ADMINS, Principal
from coldshelf.access.service import load_client
from coldshelf.kit.db import Connection
from coldshelf.kit.events import Event, Step
from coldshelf.kit.ids import ClientId
from coldshelf.kit.logs import get_logger
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.service.erasing import erase_picture, objects_of, remove_objects
from coldshelf.publishing import erasure_store as store
from coldshelf.publishing.cleaning import OUT_OF_REACH, SIGNED, Cleaning, Erased, Reached
from coldshelf.publishing.errors import DestinationUnknown, NotErasable
from coldshelf.publishing.events import ERASURE_DUE
from coldshelf.publishing.models import BULK_DATASETS, ERASURES
from coldshelf.publishing.named import open_named, read_destinations
from coldshelf.publishing.removing import LEAST_KEPT
from coldshelf.publishing.schemas import bulk_columns
from coldshelf.records.entity import Entity
from coldshelf.records.erasing import erase_record, imported_files, require_erasable
from coldshelf.records.registry import Registry

log = get_logger("publishing")

PICTURES = "AssetPurity"
"""The dataset of pictures: no entity, since pictures are uploaded and not saved."""
ASKED_EACH = timedelta(days=1)
"""So often what could not be reached is tried again."""
NOT_YET = datetime.max.replace(tzinfo=UTC)
UNKNOWN = Reached(
    destination="",
    path="backups of the database, exports by hand to other folders, copies that readers made",
    what=OUT_OF_REACH,
    why="they are not known here; readers learn of the erasure by the tombstone",
)
Row = Mapping[str, Any]  # a row of this room, columns of any type


@dataclass(frozen=True, slots=True)
class Wish:
    """The record that is to be erased, and why."""

    dataset: str
    row_id: int
    reason: str = ""


async def erase(run: Runtime, registry: Registry, principal: Principal, wish: Wish) -> int:
    """Erase a record now and note what is to be reached later; give the id of the erasure.

    Raises NotErasable, NotAllowed, RecordNotFound, PictureNotFound, RecordInUse.
    """
    async with run.database.scope(principal.client, user_name=principal.user_name) as connection:
        erasure_id = await erase_in(run, connection, registry, principal, wish)
    await remove_pictures(run, principal.client, wish)
    return erasure_id


async def erase_in(run: Runtime, connection: Connection, registry: Registry, principal: Principal, wish: Wish) -> int:
    """Do the same in the caller's transaction, but for the objects of a picture: see `remove_pictures`."""
    entity = erasable(registry, principal, wish.dataset)
    if entity is None:
        erased_on = await erase_picture(connection, wish.row_id)
    else:
        erased_on = await erase_record(connection, registry, entity, wish.row_id)
    due_on = max(run.clock.now(), erased_on) + LEAST_KEPT
    return await store.add_erasure(
        connection, wish.dataset, wish.row_id, reason=wish.reason, erased_on=erased_on, due_on=due_on
    )


async def remove_pictures(run: Runtime, client_id: ClientId, wish: Wish) -> None:
    """Remove the objects of an erased picture; it may be done again."""
    if wish.dataset == PICTURES:
        async with run.database.scope(client_id, readonly=True) as connection:
            keys = await objects_of(connection, wish.row_id)
        await remove_objects(run, keys)


async def outlook(run: Runtime, registry: Registry, principal: Principal, wish: Wish) -> list[Reached]:
    """Give what an erasure of a record would reach by now, and what it would not; nothing is changed."""
    entity = erasable(registry, principal, wish.dataset)
    client = await load_client(run, principal.client)
    async with run.database.scope(client.id) as connection:  # the row is held for a moment
        if entity is not None:
            await require_erasable(connection, registry, entity, wish.row_id)
        objects = await objects_of(connection, wish.row_id) if entity is None else []
    here = [Reached(destination="", path=f"{wish.dataset} {wish.row_id}", what="made a tombstone", why="at once")]
    here += [Reached(destination="", path=key, what="removed", why="at once") for key in objects]
    one = _erased(registry, wish.dataset, wish.row_id, erased_on=NOT_YET)
    return here + await _reach(run, registry, client, [one], change=False)


def erasable(registry: Registry, principal: Principal, dataset: str) -> Entity | None:
    """Give the entity of a dataset, None for pictures; raise NotErasable, NotAllowed."""
    principal.require_write(ERASURES, ADMINS)
    principal.require_every_outlet()
    if dataset != PICTURES and dataset not in registry.entities:
        raise NotErasable(
            f"{dataset[:60]!r} has no records that are erased one by one",
            cure=f"Choose {PICTURES} or {', '.join(registry.entities)}.",
        )
    return registry.entities.get(dataset)


async def look(run: Runtime) -> int:
    """Ask a worker to go on with the erasures that are due; give how many clients have some."""
    async with run.database.system() as connection:
        found = await store.clients_to_clean(connection, run.clock.now(), ASKED_EACH)
    asked = 0
    for client_id in map(ClientId, found):
        async with run.database.scope(client_id, user_name="schedule") as connection:
            first = await store.ask_to_clean(connection, run.clock.now(), ASKED_EACH)
            if first is not None:
                event = Event.of(ERASURE_DUE, client_id, ERASURES, first, run.clock.now())
                await run.events.publish(connection, event)
                asked += 1
    return asked


async def perform(step: Step, registry: Registry) -> None:
    """Reach what was published of the records whose erasures are due; what fails is told and tried again."""
    run: Runtime = step.run
    client = await load_client(run, step.event.client_id)
    async with run.database.scope(client.id, readonly=True) as connection:
        rows = [dict(row) for row in await store.due_erasures(connection, run.clock.now())]
    erased = [
        _erased(registry, row["dataset"], row["row_id"], erased_on=row["erased_on"], number=row["id"]) for row in rows
    ]
    try:
        for row in rows:
            await remove_pictures(run, client.id, Wish(row["dataset"], row["row_id"]))
        reached = await _reach(run, registry, client, erased, change=True) if erased else []
    except Exception as error:
        async with run.database.scope(client.id, user_name="publishing") as connection:
            await store.note_erasure_error(connection, [row["id"] for row in rows], str(error)[:2000])
        raise
    async with step.effect() as connection:
        for one in erased:
            report = [found.as_json() for found in reached if one.id in found.of or not found.of]
            await store.end_erasure(connection, one.id, orjson.dumps(report).decode())
        await store.mark_removed(connection, [found.run_id for found in reached if found.what == "removed"])


async def give_up(step: Step, connection: Connection) -> None:
    """Leave the erasures as they are: their error is noted, and the next look asks again."""
    log.error("erasure is not done", client=step.event.client_id, erasure=step.event.key)
    del connection


def _erased(registry: Registry, dataset: str, row_id: int, *, erased_on: datetime, number: int = 0) -> Erased:
    entity = registry.entities.get(dataset)
    signs = entity is not None and entity.signs
    return Erased(id=number, dataset=dataset, row_id=row_id, erased_on=erased_on, signs=signs)


async def _reach(
    run: Runtime, registry: Registry, client: Client, erased: Sequence[Erased], *, change: bool
) -> list[Reached]:
    """Go through all destinations of a client; what was handed over, imported or is not known is named."""
    async with run.database.scope(client.id, readonly=True) as connection:
        names = await store.destinations_of(connection)
        found = _handed_over(erased, [dict(row) for row in await store.exchanged_runs(connection)])
        for one in erased:
            if one.dataset in registry.entities:
                files = await imported_files(connection, registry.entities[one.dataset], one.row_id)
                why = "an imported file that holds other records too; remove the object by hand"
                found += [
                    Reached(
                        destination="object store",
                        path=file.object_key,
                        what=OUT_OF_REACH,
                        why=f"{file.name}: {why}",
                        as_of=file.imported_on,
                        of=frozenset({one.id}),
                    )
                    for file in files
                ]
    for name in sorted({*names, *_allowed(run, client)}):
        found += await _at(run, registry, client, name, erased, change=change)
    return [*found, UNKNOWN]


def _allowed(run: Runtime, client: Client) -> list[str]:
    known = read_destinations(run.settings)
    return [name for name, one in known.items() if one.clients is None or client.code in one.clients]


async def _at(
    run: Runtime, registry: Registry, client: Client, name: str, erased: Sequence[Erased], *, change: bool
) -> list[Reached]:
    try:
        place = await run.off_loop(open_named, run.settings, name, client.code)
    except DestinationUnknown as error:
        return [Reached(destination=name, path="", what=OUT_OF_REACH, why=error.message)]
    datasets = {dataset: registry.datasets[dataset] for dataset in BULK_DATASETS}
    columns = {key: frozenset(shown for shown, _ in bulk_columns(dataset)) for key, dataset in datasets.items()}
    cleaning = Cleaning(place, name, client.code, erased, columns, change)
    try:
        return await run.off_loop(lambda: [*cleaning.runs(), *_tables(cleaning)])
    finally:
        await run.off_loop(place.close)


def _tables(cleaning: Cleaning) -> list[Reached]:
    # Its library costs 20 MB and is needed only here.
    from coldshelf.publishing.open_tables import Going, clean_table  # noqa: PLC0415

    found = []
    for dataset in BULK_DATASETS:
        due = [one for one in cleaning.erased if one.signs or one.dataset == dataset]
        going = Going(_rows_of(dataset, due), _names_of(due))
        path = clean_table(cleaning.place, cleaning.client, dataset, going, change=cleaning.change) if due else None
        if path:
            said = "the record is taken out and earlier versions end"
            of = frozenset(one.id for one in due)
            found.append(Reached(destination=cleaning.name, path=path, what="cleaned", why=said, of=of))
    return found


def _rows_of(dataset: str, due: Sequence[Erased]) -> str:
    ids = ", ".join(str(one.row_id) for one in due if one.dataset == dataset)
    return f'"{dataset}Id" IN ({ids})' if ids else ""


def _names_of(due: Sequence[Erased]) -> Mapping[str, str]:
    users = ", ".join(str(one.row_id) for one in due if one.signs)
    return {name: f'"{by}" IN ({users}) AND "{name}" IS NOT NULL' for by, name in SIGNED} if users else {}


def _handed_over(erased: Sequence[Erased], rows: Sequence[Row]) -> list[Reached]:
    """Name the exchanged files that may hold a record: they were given away when they were written."""
    return [
        Reached(
            destination=row["destination"],
            path=table["path"],
            what=OUT_OF_REACH,
            why=f"file exchange of {row['name']}: ask the receiver to remove it",
            run_id=row["run_id"] or "",
            as_of=row["as_of"],
            of=frozenset(one.id for one in due),
        )
        for row in rows
        for table in orjson.loads(row["tables"])
        if (
            due := [
                one
                for one in erased
                if (one.signs or one.dataset == table["dataset"]) and row["as_of"] <= one.erased_on
            ]
        )
    ]


async def list_erasures(connection: Connection, most: int) -> list[Row]:
    """Give the latest erasures."""
    return [dict(row) for row in await store.latest_erasures(connection, most)]
