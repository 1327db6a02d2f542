"""The HTTP application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from coldshelf.access.routes import role_router
from coldshelf.access.routes import router as access_router
from coldshelf.access.routes.links import link_router
from coldshelf.compliance.routes import ACTIONS as COMPLIANCE_ACTIONS
from coldshelf.deliveries.routes import router as deliveries_router
from coldshelf.deliveries.routes.events import event_router
from coldshelf.deliveries.routes.messages import message_router
from coldshelf.deliveries.routes.outbox import router as outbox_router
from coldshelf.deliveries.routes.outbox_page import router as outbox_page
from coldshelf.deliveries.routes.sms import router as sms_router
from coldshelf.deliveries.routes.stream import stream_router
from coldshelf.entrypoints.bootstrap import (
    PUBLIC_TYPES,
    PURPOSES,
    database_url,
    imports,
    known,
    registry,
    runtime,
    surroundings,
)
from coldshelf.entrypoints.limits import router as limits_router
from coldshelf.entrypoints.openapi import document_of
from coldshelf.entrypoints.openapi import router as openapi_router
from coldshelf.entrypoints.reference_pages import reference_router as reference_pages
from coldshelf.kit.ending import told_of_the_end
from coldshelf.kit.logs import configure_logs
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings, load_settings
from coldshelf.kit.web.asgi import equip
from coldshelf.kit.web.health import router as health_router
from coldshelf.kpis.routes import difference_actions
from coldshelf.masterdata.routes import planogram_actions, user_actions
from coldshelf.pictures.routes import reference_router
from coldshelf.pictures.routes import router as pictures_router
from coldshelf.pictures.routes.batches import router as batch_router
from coldshelf.pictures.routes.resumable import router as resumable_router
from coldshelf.pictures.routes.review import review_actions, review_router
from coldshelf.pictures.routes.single import router as image_router
from coldshelf.pictures.service.answers import error_body as upload_error_body
from coldshelf.publishing.routes import erasures_router
from coldshelf.publishing.routes import router as exports_router
from coldshelf.recognition.routes import ACTIONS as RECOGNITION_ACTIONS
from coldshelf.recognition.routes import reprocessing_actions
from coldshelf.records.handlers import Extra, record_router
from coldshelf.records.imports.handler import import_router
from coldshelf.records.imports.resource import import_resource_router, reader_of_runs
from coldshelf.records.imports.run_dataset import IMPORT_RUN
from coldshelf.records.links.resource import link_resource_router
from coldshelf.records.registry import Registry
from coldshelf.records.resources.router import resource_router

VERSION = "0.1.0"


def extra_actions(declared: Registry) -> Mapping[str, Extra]:
    """Give the further actions of handlers by dataset."""
    return {
        "AssetPurity": {**RECOGNITION_ACTIONS, **COMPLIANCE_ACTIONS, **review_actions(declared)},
        "Reprocessing": {**reprocessing_actions(declared), **difference_actions(declared)},
        "Planogram": planogram_actions(declared),
        "User": user_actions(declared),
    }


def routers_of(declared: Registry) -> tuple[APIRouter, ...]:
    """Give the operations of every room."""
    return (
        health_router,
        openapi_router,
        access_router,
        link_router(PURPOSES),
        pictures_router,
        reference_router(declared),
        review_router(declared),
        batch_router,
        image_router,
        resumable_router,
        import_router(imports()),
        import_resource_router(imports()),
        role_router(known(declared)),
        record_router(declared, extra_actions(declared)),
        limits_router,
        exports_router,
        erasures_router(declared),
        deliveries_router,
        message_router(surroundings),
        link_resource_router(declared, PURPOSES),
        sms_router,
        outbox_router,
        outbox_page,
        stream_router(PUBLIC_TYPES, surroundings()),
        event_router(PUBLIC_TYPES, surroundings()),
        resource_router(declared, {IMPORT_RUN.name: reader_of_runs(imports())}),
    )


def build_app(settings: Settings, opened: AbstractAsyncContextManager[Runtime]) -> FastAPI:
    """Make the application; `opened` gives its Runtime when the server starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened as run:
            app.state.run = run
            yield

    app = FastAPI(title="Coldshelf", version=VERSION, lifespan=lifespan, openapi_url=None)
    declared = registry()
    routers = routers_of(declared)
    meanings = {dataset.name: dataset.meaning for dataset in declared.listed}
    for router in (*routers, reference_pages(routers, meanings)):
        app.include_router(router)
    app.openapi = document_of(app, declared)  # type: ignore[method-assign]  # the framework's own way to override it
    app.state.error_bodies = {"/controllers/coolrapi.ashx": upload_error_body}
    equip(app, max_body_bytes=settings.max_body_bytes)
    return app


def create() -> FastAPI:
    """Make the application from the environment: what a server process calls."""
    settings = load_settings()
    configure_logs(settings.log_level)
    return build_app(settings, told_of_the_end(runtime(settings, database_url(settings), migrate=False)))
