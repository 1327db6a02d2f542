"""The OpenAPI document is complete, in parts for client generators, and shown without any other host."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.openapi import operations
from coldshelf.records.resources.names import resource_path

REGISTRY = registry()
BASE = "http://coldshelf.test"


@pytest.fixture
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture
async def nobody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
        yield http


def references(part: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(part)))


def test_handlers_and_resources_stand_in_one_document(document: dict[str, Any]) -> None:
    paths = document["paths"]

    for dataset in REGISTRY.listed:
        path = resource_path(dataset)
        assert {"get"} <= paths[path].keys(), path
        assert {"get"} <= paths[path + "/{key}"].keys()
        assert f"/controllers/{dataset.name.lower()}.ashx" in paths
        if dataset.name in REGISTRY.entities:
            assert paths[path].keys() == {"get", "post"}
            assert paths[path + "/{key}"].keys() == {"get", "put", "patch", "delete"}


def test_nothing_refers_to_a_schema_that_is_not_there(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert references(document) <= schemas.keys()
    assert {"Problem", "ContractError", "Location", "LocationNew", "LocationChange", "LocationRow"} <= schemas.keys()
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()


def test_every_operation_says_how_it_fails_and_who_may_call_it(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, operation in operations(document)]

    assert len(ids) == len(set(ids))
    assert document["security"] == [{"basic": []}, {"bearer": []}, {"cookie": []}]
    for path, operation in operations(document):
        failures = {status: body for status, body in operation["responses"].items() if int(status) >= 400}
        assert {"500", "503"} <= failures.keys(), path
        assert operation.get("security") == [] or {"401", "403", "429"} <= failures.keys(), path
        assert operation["summary"], path
        if path.startswith("/api/v1"):
            for body in failures.values():
                assert references(body) == {"Problem"}, path


def test_every_record_and_body_has_an_example(document: dict[str, Any]) -> None:
    for name in (dataset.name for dataset in REGISTRY.listed):
        schema = document["components"]["schemas"][name]
        assert schema["examples"][0].keys() == schema["properties"].keys(), name
    for name in REGISTRY.entities:
        body = document["components"]["schemas"][f"{name}New"]
        assert body["examples"][0].keys() >= set(body.get("required", ())), name
        assert body["additionalProperties"] is False


async def test_each_entity_has_a_document_of_its_own(nobody: httpx.AsyncClient, document: dict[str, Any]) -> None:
    for name in (dataset.name for dataset in REGISTRY.listed):
        part = (await nobody.get(f"/openapi/{name}.json")).json()

        assert set(part["paths"]) >= {resource_path(REGISTRY.datasets[name])}
        assert references(part) == part["components"]["schemas"].keys()
        for path, item in part["paths"].items():
            assert item.items() <= document["paths"][path].items()
    assert (await nobody.get("/openapi/LOCATION.json")).json() == (await nobody.get("/openapi/Location.json")).json()
    missing = await nobody.get("/openapi/Nothing.json")
    assert (missing.status_code, missing.json()["code"]) == (404, "document_not_found")
    assert "Location" in missing.json()["cure"]


async def test_the_index_leads_to_a_page_for_every_name_and_is_small(
    nobody: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    index = await nobody.get("/docs")
    linked = re.findall(r'href="docs/([^"]+)"', index.text)

    tags = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert set(map(unquote, linked)) == tags | {"all"}
    assert len(index.content) < 50_000
    assert REGISTRY.datasets["Market"].meaning in index.text
    for name in linked:
        page = await nobody.get(f"/docs/{name}")
        (shown,) = re.findall(r'data-document="../([^"]+)"', page.text)
        assert page.status_code == 200, name
        assert (await nobody.get(f"/{shown}")).status_code == 200, shown
    missing = await nobody.get("/docs/Nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "document_not_found")
    assert (await nobody.get("/docs/MARKET")).text == (await nobody.get("/docs/Market")).text


@pytest.mark.parametrize(("path", "count"), [("/docs", 0), ("/docs/Market", 3), ("/docs/all", 3)])
async def test_the_reference_needs_no_other_host(nobody: httpx.AsyncClient, path: str, count: int) -> None:
    page = await nobody.get(path)
    named = re.findall(r'(?:<script src|stylesheet" href)="([^"]+)"', page.text)

    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in page.text
    assert len(named) == count
    for name in named:
        assert (await nobody.get(f"/docs/{name}")).status_code == 200, name


async def test_files_of_the_reference_are_those_and_no_other(nobody: httpx.AsyncClient) -> None:
    bundle = await nobody.get("/docs/swagger-ui-bundle.js")
    assert b"SwaggerUIBundle" in bundle.content
    assert bundle.headers["content-type"].startswith("text/javascript")
    assert (await nobody.get("/docs/..%2Fcore.py")).status_code == 404
    assert (await nobody.get("/docs/core.py")).status_code == 404


async def test_limits_are_those_of_the_settings(
    admin: httpx.AsyncClient, run: Runtime, nobody: httpx.AsyncClient
) -> None:
    limits = (await admin.get("/api/v1/limits")).json()

    assert (await nobody.get("/api/v1/limits")).status_code == 401
    assert limits == {
        "body": {"bytes": run.settings.max_body_bytes, "recordBytes": 1_048_576},
        "upload": {
            "files": 20,
            "megapixels": 50.0,
            "formats": ["jpeg", "png", "webp", "heic"],
            "queueAgeSeconds": 21_600,
        },
        "page": {"default": 50, "resources": 1000, "handlers": 50_000},
        "filters": {"conditions": 100, "values": 1000},
        "export": {"records": 50_000},
        "rate": {"requests": 1_000_000, "windowSeconds": 60},
        "idempotency": {"keyCharacters": 255, "keptSeconds": 86_400, "waitSeconds": 10},
    }


async def test_every_answer_says_what_is_left_of_the_rate(admin: httpx.AsyncClient) -> None:
    first = await admin.get("/api/v1/locations")
    second = await admin.get("/api/v1/locations/99")

    assert first.headers["ratelimit-policy"] == '"credential";q=1000000;w=60'
    left = [int(re.fullmatch(r'"credential";r=(\d+);t=\d+', a.headers["ratelimit"])[1]) for a in (first, second)]  # type: ignore[index]
    assert left == [999_999, 999_998]


async def test_the_contracts_paths_answer_under_their_version_too(admin: httpx.AsyncClient) -> None:
    saved = await admin.post("/v1/Controllers/Location.ashx?action=save&Code=1&Name=A")

    listed = await admin.get("/V1/controllers/LOCATION.ashx?action=list")

    assert listed.json()["records"] == [saved.json()["data"]]
