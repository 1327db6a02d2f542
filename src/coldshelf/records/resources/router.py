"""The operations of every resource, made from the registry."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from coldshelf.access.principal import Principal
from coldshelf.access.web import SignedIn
from coldshelf.records.dataset import Dataset
from coldshelf.records.entity import Entity
from coldshelf.records.registry import Registry
from coldshelf.records.resources import openapi, reading, writing
from coldshelf.records.resources.names import resource_name, resource_path

Endpoint = Callable[..., Awaitable[Response]]
ReaderOf = Callable[[Request, Principal], Awaitable[Principal]]
"""Says as whom a principal reads one record, where it may see some of a dataset that it may not list."""


def resource_router(registry: Registry, readers: Mapping[str, ReaderOf]) -> APIRouter:
    """Make the operations of each dataset, and those that write of each entity; raise ValueError on a doubled name.

    `readers`, by dataset, say as whom one record is read; elsewhere that is the principal as it is.
    """
    router = APIRouter()
    names: dict[str, str] = {}
    for dataset in registry.listed:
        other = names.setdefault(resource_name(dataset), dataset.name)
        if other != dataset.name:
            raise ValueError(f"{other} and {dataset.name} are both the resource {resource_name(dataset)}")
        _add_reads(router, dataset, registry.entities.get(dataset.name), readers.get(dataset.name))
    for entity in registry.entities.values():
        _add_writes(router, registry, entity)
    return router


def _add_reads(router: APIRouter, dataset: Dataset, entity: Entity | None, reader_of: ReaderOf | None) -> None:
    async def list_page(request: Request, principal: SignedIn) -> Response:
        return await reading.list_resource(request, principal, dataset)

    async def list_changes(request: Request, principal: SignedIn) -> Response:
        return await reading.list_changes(request, principal, dataset)

    async def read(request: Request, principal: SignedIn) -> Response:
        reader = principal if reader_of is None else await reader_of(request, principal)
        return await reading.read_resource(request, reader, dataset, entity)

    path = resource_path(dataset)
    _add(router, "GET", path, list_page, openapi.list_operation(dataset))
    _add(router, "GET", f"{path}/changes", list_changes, openapi.changes_operation(dataset))
    _add(router, "GET", path + "/{key:path}", read, openapi.read_operation(dataset, entity))


def _add_writes(router: APIRouter, registry: Registry, entity: Entity) -> None:
    dataset = registry.datasets[entity.name]
    path = resource_path(dataset)
    for method, place, work, operation in (
        ("POST", path, writing.create, openapi.create_operation(dataset)),
        ("PATCH", path + "/{key:path}", writing.change, openapi.change_operation(dataset, entity)),
        ("PUT", path + "/{key:path}", writing.put, openapi.put_operation(dataset, entity)),
        ("DELETE", path + "/{key:path}", writing.remove, openapi.delete_operation(dataset, entity)),
    ):
        _add(router, method, place, _writer(registry, entity, work), operation)


def _writer(registry: Registry, entity: Entity, work: writing.Work) -> Endpoint:
    async def write(request: Request, principal: SignedIn) -> Response:
        return await writing.write_resource(request, principal, registry, entity, work)

    return write


def _add(router: APIRouter, method: str, path: str, endpoint: Endpoint, operation: dict[str, Any]) -> None:
    router.add_api_route(path, endpoint, methods=[method], response_class=Response, **operation)
