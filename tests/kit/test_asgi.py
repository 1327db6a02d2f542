import asyncio
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import APIRouter, Depends, FastAPI
from prometheus_client import REGISTRY
from starlette.requests import Request
from starlette.responses import StreamingResponse

from coldshelf.kit.errors import InputInvalid, TooManyRequests, Unavailable
from coldshelf.kit.events import StepDone
from coldshelf.kit.objects import LocalStore
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.asgi import equip
from coldshelf.kit.web.deprecation import Deprecated
from coldshelf.kit.web.health import router
from coldshelf.kit.web.request import add_header

PROBLEMS = "application/problem+json"
OLD_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
OLD_UNTIL = datetime(2027, 1, 1, tzinfo=UTC)


FAILURES = {
    "input": InputInvalid("limit takes a whole number"),
    "limit": TooManyRequests(),
    "down": Unavailable("The database does not answer"),
    "step": StepDone("inside"),
    "bug": ZeroDivisionError("secret detail"),
}


async def half() -> AsyncIterator[bytes]:
    yield b"half"
    raise ZeroDivisionError


OLD = APIRouter()


@OLD.get(
    "/api/v1/old",
    deprecated=True,
    dependencies=[Depends(Deprecated(since=OLD_SINCE, sunset=OLD_UNTIL, link="/docs/api#old"))],
)
async def old(fail: str = "") -> dict[str, int]:
    if fail:
        raise FAILURES[fail]
    return {}


def make_app() -> FastAPI:
    app = FastAPI()
    app.include_router(OLD)

    @app.get("/controllers/asset.ashx")
    async def asset(request: Request, action: str = "", fail: str = "") -> dict[str, str]:
        add_header(request, "X-Extra", "1")
        if fail:
            raise FAILURES[fail]
        return {"action": action, "bound": structlog.contextvars.get_contextvars()["request_id"]}

    @app.get("/api/v1/items/{item_id}")
    async def item(item_id: int) -> dict[str, int]:
        if item_id == 0:
            raise ZeroDivisionError("secret detail")
        if item_id < 0:
            raise TooManyRequests
        return {"item": item_id}

    @app.post("/api/v1/body")
    async def body(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.get("/api/v1/body")
    async def no_body() -> dict[str, int]:
        return {}

    @app.get("/api/v1/half")
    async def stream() -> StreamingResponse:
        return StreamingResponse(half())

    equip(app, max_body_bytes=1000)
    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(make_app()), base_url="http://shelf.test") as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/Controllers/Asset.ashx",
        "/controllers/ASSET.ASHX",
        "/CONTROLLERS/asset.ashx",
        "/v1/controllers/Asset.ashx",
        "/V1/Controllers/Asset.ASHX",
    ],
)
async def test_handlers_are_found_in_any_case(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, params={"action": "List"})).json()["action"] == "List"


async def test_other_paths_keep_their_case(client: httpx.AsyncClient) -> None:
    assert (await client.get("/API/v1/items/1")).status_code == 404


async def test_request_id_is_taken_bound_and_given_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/controllers/asset.ashx", headers={"X-Request-ID": "abc-1"})

    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.json()["bound"] == "abc-1"
    assert answer.headers["x-extra"] == "1"
    assert "request_id" not in structlog.contextvars.get_contextvars()


@pytest.mark.parametrize("sent", [None, "x" * 129, "a b", "ü".encode()])
async def test_request_id_is_made_when_none_or_a_wrong_one_came(
    client: httpx.AsyncClient, sent: str | bytes | None
) -> None:
    headers = {} if sent is None else {"X-Request-ID": sent}
    first = await client.get("/controllers/asset.ashx", headers=headers)
    second = await client.get("/api/v1/nothing", headers=headers)

    assert len(first.headers["x-request-id"]) == 32
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    ("fail", "status", "info"),
    [
        ("input", 400, "limit takes a whole number"),
        ("limit", 429, "Too many requests"),
        ("down", 503, "The database does not answer"),
        ("step", 500, "Something went wrong"),
        ("bug", 500, "Something went wrong"),
    ],
)
async def test_errors_of_handlers_have_the_contracts_shape(
    client: httpx.AsyncClient, fail: str, status: int, info: str
) -> None:
    answer = await client.get("/Controllers/Asset.ashx", params={"fail": fail})

    assert answer.status_code == status
    assert answer.json() == {"success": False, "info": info, "totalRecords": 0, "records": []}
    assert answer.headers["x-extra"] == "1"
    assert answer.headers["x-request-id"]
    assert answer.headers.get("retry-after") == {429: "10", 503: "5"}.get(status)


async def test_an_error_under_the_versioned_path_has_the_contracts_shape_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/Controllers/Asset.ashx", params={"fail": "input"})

    assert answer.status_code == 400
    assert answer.json()["records"] == []


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "Nothing", 404), ("PUT", "Asset", 405)])
async def test_unknown_handler_and_method_have_the_contracts_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, f"/Controllers/{path}.ashx")

    assert answer.status_code == status
    assert answer.json()["success"] is False
    assert answer.json()["records"] == []


async def test_error_elsewhere_is_a_problem_document(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/items/-1", headers={"X-Request-ID": "r1"})

    assert answer.status_code == 429
    assert answer.headers["content-type"] == PROBLEMS
    assert answer.headers["retry-after"] == "10"
    assert answer.json() == {
        "type": "urn:coldshelf:error:too_many_requests",
        "title": "Too many requests",
        "status": 429,
        "detail": "Too many requests",
        "code": "too_many_requests",
        "instance": "/api/v1/items/-1",
        "cure": "",
        "errors": [],
        "requestId": "r1",
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("items/0", 500, "unexpected"), ("items/x", 400, "input_invalid"), ("nothing", 404, "path_not_found")],
)
async def test_framework_errors_are_problem_documents_too(
    client: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    answer = await client.get(f"/api/v1/{path}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == PROBLEMS
    assert "secret" not in answer.text


async def test_wrong_method_says_which_are_allowed(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/v1/body")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(("fail", "status"), [("", 200), ("input", 400)])
async def test_what_is_deprecated_says_so_on_every_answer(client: httpx.AsyncClient, fail: str, status: int) -> None:
    answer = await client.get("/api/v1/old", params={"fail": fail})

    assert answer.status_code == status
    assert answer.headers["deprecation"] == "@1767225600"
    assert answer.headers["sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert answer.headers["link"] == '</docs/api#old>; rel="deprecation"'
    assert (await client.get("/openapi.json")).json()["paths"]["/api/v1/old"]["get"]["deprecated"] is True


def test_what_is_deprecated_is_served_for_a_year() -> None:
    with pytest.raises(ValueError, match="at least 365 days"):
        Deprecated(since=OLD_SINCE, sunset=OLD_SINCE + timedelta(days=364), link="/docs/api")


async def test_fault_in_the_middle_of_an_answer_reaches_the_server(client: httpx.AsyncClient) -> None:
    with pytest.raises(ZeroDivisionError):
        await client.get("/api/v1/half")


async def test_body_is_bounded_by_its_announced_length(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v1/body", content=b"x" * 1000)).json() == {"size": 1000}

    answer = await client.post("/api/v1/body", content=b"x" * 1001)

    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert answer.headers["connection"] == "close"


async def test_body_without_a_length_is_bounded_as_it_comes(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 500

    answer = await client.post("/api/v1/body", content=chunks())

    assert answer.status_code == 413


async def test_log_line_names_the_action_but_no_other_value(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/Controllers/Asset.ashx?Action=list&token=cs_secret")
        await client.get("/link/" + "s" * 43)

    first, second = (line for line in lines if line["event"] == "http.request")
    assert first.pop("ms") >= 0
    assert first == {
        "event": "http.request",
        "log_level": "info",
        "room": "http",
        "method": "GET",
        "path": "/controllers/asset.ashx",
        "status": 200,
        "action": "list",
    }
    assert (second["path"], second["status"]) == ("/link/…", 404)


def counted(route: str, status: int) -> float:
    labels = {"method": "GET", "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("coldshelf_http_requests_total", labels) or 0


async def test_requests_are_counted_by_route_template(client: httpx.AsyncClient) -> None:
    before = counted("/api/v1/items/{item_id}", 200), counted("unmatched", 404)

    await client.get("/api/v1/items/1")
    await client.get("/api/v1/items/2")
    await client.get("/whatever")

    assert counted("/api/v1/items/{item_id}", 200) == before[0] + 2
    assert counted("unmatched", 404) == before[1] + 1


def scope_of(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, object]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "root_path": "",
        "scheme": "http",
        "server": ("shelf.test", 80),
        "http_version": "1.1",
    }


async def test_caller_that_hangs_up_is_no_fault() -> None:
    scope = scope_of("POST", "/api/v1/body", [])
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0)
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    with structlog.testing.capture_logs() as lines:
        await make_app()(scope, receive, send)  # type: ignore[arg-type]

    assert sent == []
    assert [(line["event"], line["status"]) for line in lines] == [("http.request", 499)]


async def ask(run: Runtime, path: str) -> httpx.Response:
    app = FastAPI()
    app.state.run = run
    app.include_router(router)
    equip(app, max_body_bytes=1000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shelf.test") as client:
        return await client.get(path)


async def test_ready_when_all_parts_answer(run: Runtime) -> None:
    answer = await ask(run, "/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "checks": {"database": "ok", "migrations": "ok", "objects": "ok"}}
    assert (await ask(run, "/health/live")).json() == {"live": True}


async def test_not_ready_when_the_store_cannot_be_written(run: Runtime, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "gone")
    (tmp_path / "gone" / ".staging").rmdir()

    answer = await ask(replace(run, objects=store), "/health/ready")

    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "objects": "FileNotFoundError"}


async def test_not_ready_when_a_migration_is_missing(run: Runtime) -> None:
    async with run.database.system() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = 'older'")

    answer = await ask(run, "/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"].startswith("at older, this release needs ")


async def test_not_ready_when_the_database_is_gone(run: Runtime) -> None:
    await run.database.close()

    answer = await ask(run, "/health/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"] == {
        "database": "InterfaceError", "migrations": "InterfaceError", "objects": "ok",
    }  # fmt: skip


async def test_metrics_are_given(run: Runtime) -> None:
    await ask(run, "/health/live")
    answer = await ask(run, "/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'coldshelf_http_requests_total{method="GET",route="/health/live",status="200"}' in answer.text


@pytest.mark.parametrize(("item", "status"), [("0", "500"), ("-1", "429")])
async def test_an_answer_that_wants_no_body_lets_the_caller_finish_sending(item: str, status: str) -> None:
    order: list[str] = []
    parts = [
        {"type": "http.request", "body": b"12", "more_body": True},
        {"type": "http.request", "body": b"345", "more_body": False},
    ]

    async def receive() -> dict[str, object]:
        order.append("receive")
        return parts.pop(0)

    async def send(message: MutableMapping[str, object]) -> None:
        order.append(str(message.get("status", "body")))

    scope = scope_of("GET", f"/api/v1/items/{item}", [(b"content-length", b"5")])
    await make_app()(scope, receive, send)  # type: ignore[arg-type]

    assert order[:3] == ["receive", "receive", status]
