"""Wires the parts of one process together; tests call it with other parts."""

from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache

from coldshelf.access.links import Purpose, purposes_by_name
from coldshelf.access.service import Known
from coldshelf.alerts import datasets as alert_datasets
from coldshelf.alerts import events as alert_events
from coldshelf.compliance import datasets as compliance_datasets
from coldshelf.compliance import events as compliance_events
from coldshelf.compliance import jobs as compliance_jobs
from coldshelf.compliance.shelf import find_shelf
from coldshelf.deliveries import datasets as delivery_datasets
from coldshelf.deliveries import events as delivery_events
from coldshelf.deliveries.developing.sandbox import Sandbox
from coldshelf.deliveries.entities import entities as delivery_entities
from coldshelf.deliveries.jobs import delivery_handlers
from coldshelf.deliveries.messages.message import placeholders_of
from coldshelf.deliveries.surroundings import Addition, Surroundings
from coldshelf.kit.clock import Clock, SystemClock
from coldshelf.kit.db import Database
from coldshelf.kit.embedded import start
from coldshelf.kit.events import EventBus, EventType, Handler
from coldshelf.kit.http import GuardedClient, open_outgoing
from coldshelf.kit.objects import ObjectStore, open_store
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.secret import server_secret
from coldshelf.kit.settings import Settings
from coldshelf.kpis import datasets as kpi_datasets
from coldshelf.kpis import events as kpi_events
from coldshelf.kpis import jobs as kpi_jobs
from coldshelf.masterdata import datasets as masterdata_datasets
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.masterdata.imports import IMPORTS
from coldshelf.masterdata.models import GRANT_DIMENSIONS
from coldshelf.masterdata.service import outlet_place
from coldshelf.migrations.upgrade import upgrade
from coldshelf.orders import datasets as order_datasets
from coldshelf.orders import events as order_events
from coldshelf.pictures import datasets as picture_datasets
from coldshelf.pictures import events as picture_events
from coldshelf.pictures import jobs as picture_jobs
from coldshelf.pictures.links import picture_purposes
from coldshelf.pictures.service.preview import picture_of_record
from coldshelf.publishing import datasets as publishing_datasets
from coldshelf.publishing import events as publishing_events
from coldshelf.publishing.entities import ENTITIES as PUBLISHING_ENTITIES
from coldshelf.publishing.jobs import erasure_handler, export_handler
from coldshelf.recognition import datasets as recognition_datasets
from coldshelf.recognition import events as recognition_events
from coldshelf.recognition import jobs as recognition_jobs
from coldshelf.recognition.service import served_json
from coldshelf.recognition.wire import RECOGNITION_SAMPLE, RECOGNITION_SCHEMA
from coldshelf.records.imports import events as import_events
from coldshelf.records.imports.compiled import Imports
from coldshelf.records.imports.run_dataset import IMPORT_RUN
from coldshelf.records.imports.working import import_handler
from coldshelf.records.limits import PERSONAL, fixed_fields
from coldshelf.records.links import datasets as link_datasets
from coldshelf.records.registry import Registry, build_registry
from coldshelf.telemetry import datasets as telemetry_datasets

EVENT_TYPES: tuple[EventType, ...] = (
    *import_events.EVENT_TYPES,
    *picture_events.EVENT_TYPES,
    *recognition_events.EVENT_TYPES,
    *compliance_events.EVENT_TYPES,
    *kpi_events.EVENT_TYPES,
    *order_events.EVENT_TYPES,
    *alert_events.EVENT_TYPES,
    *publishing_events.EVENT_TYPES,
    *delivery_events.EVENT_TYPES,
)
PUBLIC_TYPES = {kind.name: kind for kind in EVENT_TYPES if kind.public}
PUBLIC = tuple(PUBLIC_TYPES)
"""The events that outsiders may subscribe to; those of rooms that are still to come are promised with their names."""

LINK_PURPOSES: tuple[Purpose, ...] = (*picture_purposes(find_shelf),)
PURPOSES = purposes_by_name(LINK_PURPOSES)
"""What links for people without an account are for, by name; each stands in the room whose record it opens."""


def registry() -> Registry:
    """Build what the house can list and save from the declarations of every room."""
    return build_registry(
        (*ENTITIES, *PUBLISHING_ENTITIES, *delivery_entities(PUBLIC, placeholders)),
        (
            IMPORT_RUN,
            *link_datasets.DATASETS,
            *masterdata_datasets.DATASETS,
            *telemetry_datasets.DATASETS,
            *picture_datasets.DATASETS,
            *recognition_datasets.DATASETS,
            *kpi_datasets.DATASETS,
            *order_datasets.DATASETS,
            *alert_datasets.DATASETS,
            *publishing_datasets.DATASETS,
            *delivery_datasets.DATASETS,
        ),
        (
            *telemetry_datasets.GROUPS,
            *recognition_datasets.GROUPS,
            *compliance_datasets.GROUPS,
            *kpi_datasets.GROUPS,
        ),
    )


@cache
def imports() -> Imports:
    """Join what can be imported with the entities that it writes."""
    return Imports(registry(), IMPORTS)


HANDLERS: tuple[Handler, ...] = (
    *picture_jobs.HANDLERS,
    *recognition_jobs.HANDLERS,
    *compliance_jobs.HANDLERS,
    *kpi_jobs.HANDLERS,
    import_handler(imports),
    export_handler(registry),
    erasure_handler(registry),
    *delivery_handlers(EVENT_TYPES, outlet_place),
)


@cache
def surroundings(*, sandbox: bool = False) -> Surroundings:
    """Give deliveries what they may know; a sandbox keeps what they would send."""
    recognised = Addition(
        "Recognition",
        "/controllers/AssetPurity.ashx?action=GetFacings&AssetPurityId={key}",
        served_json,
        RECOGNITION_SCHEMA,
        RECOGNITION_SAMPLE,
    )
    return Surroundings(
        registry(),
        {picture_events.DATASET: recognised},
        carry=Sandbox().carry if sandbox else None,
        pictures={picture_events.DATASET: picture_of_record},
        meanings={kind.name: kind.meaning for kind in EVENT_TYPES},
        purposes=PURPOSES,
        about={kind.name: kind.dataset for kind in PUBLIC_TYPES.values()},
    )


def placeholders(event: str) -> Collection[str]:
    """Name what templates of an event may hold."""
    return placeholders_of(surroundings(), event)


def known(declared: Registry) -> Known:
    """Say what roles and limits may name."""
    return Known(
        fields={name: frozenset(item.wire for item in dataset.columns) for name, dataset in declared.datasets.items()},
        fixed={name: fixed_fields(dataset) for name, dataset in declared.datasets.items()},
        groups=frozenset({PERSONAL}),
        dimensions=GRANT_DIMENSIONS,
        governed={name: entity.permission for name, entity in declared.entities.items() if entity.permission},
    )


def database_url(settings: Settings) -> str:
    """Give the URL of the database; without one the embedded PostgreSQL is started, or attached to. Blocking."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return start(settings.data_dir).url


@asynccontextmanager
async def runtime(
    settings: Settings,
    url: str,
    *,
    clock: Clock | None = None,
    objects: ObjectStore | None = None,
    outgoing: GuardedClient | None = None,
    handlers: tuple[Handler, ...] = HANDLERS,
    threads: int = 8,
    migrate: bool = True,
) -> AsyncIterator[Runtime]:
    """Open everything that use cases work with, and close it at the end."""
    outgoing = outgoing or open_outgoing(settings)
    if migrate:
        await upgrade(url)
    database = await Database.connect(url, size=settings.pool_size)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="coldshelf")
    clock = clock or SystemClock()
    try:
        yield Runtime(
            settings=settings,
            database=database,
            objects=objects or open_store(settings.objects_url),
            events=EventBus(database, clock, handlers),
            clock=clock,
            threads=pool,
            secret=await server_secret(database, settings),
            outgoing=outgoing,
        )
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        await outgoing.close()
        await database.close()
