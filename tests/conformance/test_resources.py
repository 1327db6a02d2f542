"""Every entity and dataset of the registry is a resource under `/api/v1`, with the rights and walls of a handler."""

import json
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.records.dataset import Dataset
from coldshelf.records.fields import FieldType
from coldshelf.records.resources.names import code_names, resource_name, resource_path
from tests.conformance.world import value_of, whole_world
from tests.house.filling import fill, tenant_tables
from tests.records.conftest import installer, nobody, sales_rep

REGISTRY = registry()
DATASETS = REGISTRY.listed
__all__ = ["installer", "nobody", "sales_rep"]


ADDED = {
    ("ImportRun", "POST"),
    ("PublicationRun", "POST"),
    ("AssetPurity", "POST"),
    ("Erasure", "POST"),
    ("Link", "POST"),
}
"""What rooms add to the resources of their datasets."""


def path_of(entity: str) -> str:
    return resource_path(REGISTRY.datasets[entity])


async def test_every_entity_is_created_listed_read_changed_and_deleted(admin: httpx.AsyncClient) -> None:
    made = {name: await _created(admin, name, values) for name, values in whole_world(REGISTRY).items()}

    for name, (record, tag) in reversed(made.items()):
        entity, path = REGISTRY.entities[name], path_of(name)
        address = f"{path}/{record[entity.key]}"
        assert (await admin.get(address)).json() == record, name
        assert record in (await admin.get(path, params={"limit": "1000"})).json()["data"], name
        for parameter, wire in entity.keys.items():
            code = quote(str(record[wire]), safe="")
            assert (await admin.get(f"{path}/{parameter}:{code}")).json() == record, f"{name} {parameter}"
        item = next(item for item in entity.fields if not item.read_only)
        changed = await admin.patch(address, json={item.wire: value_of(entity, item, 1)}, headers={"If-Match": tag})
        assert changed.json()[item.wire] == value_of(entity, item, 1), changed.text
        deleted = await admin.delete(address, headers={"If-Match": changed.headers["etag"]})
        assert deleted.status_code == 204, (name, deleted.text)
        assert (await admin.get(address)).status_code == 404
        gone = (await admin.get(f"{path}/changes", params={"limit": "1000"})).json()["data"][-1]
        assert (gone[entity.key], gone["IsDeleted"]) == (record[entity.key], True), name


async def _created(http: httpx.AsyncClient, name: str, values: dict[str, object]) -> tuple[dict[str, Any], str]:
    entity = REGISTRY.entities[name]
    structured = {item.wire for item in entity.fields if item.type is FieldType.JSON}
    body = {key: json.loads(str(value)) if key in structured else value for key, value in values.items()}
    made = await http.post(path_of(name), json=body)
    assert made.status_code == 201, (name, made.text)
    record = made.json()
    assert made.headers["location"] == f"{path_of(name)}/{record[entity.key]}"
    sent = {item.wire: body[item.wire] for item in entity.fields if item.wire in body}
    assert {wire: record[wire] for wire in sent} == sent, name
    return record, made.headers["etag"]


@pytest.fixture
async def foreign(url: str, client_id: ClientId, other_client_id: ClientId) -> dict[str, int]:
    """One row of client `demo` in every table, and the id of each dataset's."""
    owner = await asyncpg.connect(url)
    tables = await tenant_tables(owner)
    await fill(owner, client_id, tables)
    found = {
        dataset.name: await owner.fetchval(
            f"SELECT max(id) FROM {dataset.relation} WHERE client_id = $1 AND NOT is_deleted", client_id
        )
        for dataset in DATASETS
    }
    await owner.execute("UPDATE access_limit SET is_deleted = true")  # else the admin is limited
    await owner.close()
    return found


async def test_no_resource_shows_or_changes_what_is_foreign(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, foreign: dict[str, int]
) -> None:
    for dataset in DATASETS:
        address = f"{resource_path(dataset)}/{foreign[dataset.name]}"

        own = await admin.get(address)
        theirs = await stranger.get(address)

        assert own.status_code == 200, (dataset.name, own.text)
        assert (theirs.status_code, theirs.json()["code"]) == (404, "record_not_found"), dataset.name
        for name in ("", "/changes"):
            listed = (await stranger.get(resource_path(dataset) + name, params={"limit": "1000"})).json()["data"]
            assert foreign[dataset.name] not in [record[dataset.key] for record in listed], dataset.name
        if dataset.name in REGISTRY.entities:
            for method in ("PATCH", "PUT", "DELETE"):
                refused = await stranger.request(method, address, json={})
                assert refused.status_code == 404, (dataset.name, method, refused.text)
        assert (await admin.get(address)).json() == own.json()


async def test_who_may_do_what_is_as_declared(
    admin: httpx.AsyncClient, installer: httpx.AsyncClient, sales_rep: httpx.AsyncClient, foreign: dict[str, int]
) -> None:
    callers = {Role.CLIENT_ADMIN: admin, Role.INSTALLER: installer, Role.SALES_REP: sales_rep}
    for dataset in DATASETS:
        path = resource_path(dataset)
        entity = REGISTRY.entities.get(dataset.name)
        for role, http in callers.items():
            for place in (path, f"{path}/changes", f"{path}/{foreign[dataset.name]}"):
                status = (await http.get(place)).status_code
                assert status == (200 if role in dataset.readers else 403), (role, place)
            if entity:
                answers = [await http.request(method, f"{path}/{2**40}", json={}) for method in ("PATCH", "DELETE")]
                answers.append(await http.post(path, json={"no such field": 1}))
                statuses = [answer.status_code for answer in answers]
                assert statuses == ([404, 404, 422] if role in entity.writers else [403] * 3), (role, path)


async def test_nobody_gets_in_without_signing_in(nobody: httpx.AsyncClient) -> None:
    for dataset in DATASETS:
        for method, place in (("GET", ""), ("GET", "/changes"), ("GET", "/1"), ("POST", ""), ("DELETE", "/1")):
            answer = await nobody.request(method, resource_path(dataset) + place)
            is_there = method == "GET" or dataset.name in REGISTRY.entities or (dataset.name, method) in ADDED
            wanted = 401 if is_there else 405
            assert answer.status_code == wanted, (dataset.name, method, place)


def test_resources_have_names_of_their_own() -> None:
    names = [resource_name(dataset) for dataset in DATASETS]

    assert len(set(names)) == len(names)
    assert {"locations", "assets", "asset-types", "products", "planograms", "images"} <= set(names)
    assert all(name == name.lower() and name.replace("-", "").isalpha() for name in names)


@pytest.mark.parametrize(
    ("name", "plural"),
    [
        ("Country", "countries"),
        ("TimeZone", "time-zones"),
        ("Class", "classes"),
        ("Route", "routes"),
        ("Key", "keys"),
        ("SKUBox", "sku-boxes"),
    ],
)
def test_the_name_of_a_resource_is_the_plural_in_kebab_case(name: str, plural: str) -> None:
    dataset = Dataset(name=name, relation="t", key="Id", meaning="", columns=())

    assert resource_name(dataset) == plural


def test_a_code_is_never_an_address_that_means_two_things() -> None:
    for entity in REGISTRY.entities.values():
        names = [name.lower() for name in code_names(entity)]

        assert len(names) == len(set(names)) or "code" in names, entity.name
