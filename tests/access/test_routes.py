from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.access.routes import router
from coldshelf.access.service import add_token, add_user, set_password
from coldshelf.access.service.sign_in import FAILURES_A_MINUTE
from coldshelf.access.web import Caller, SignedIn
from coldshelf.kit.ids import ClientId, UserId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.asgi import equip

PASSWORD = "correct:horse ü"
LOGIN = "/Controllers/Login.ashx"


@pytest.fixture
async def ada(run: Runtime, client_id: ClientId) -> UserId:
    user_id, _ = await add_user(run, client_id, "ada", password=PASSWORD, role=Role.CLIENT_ADMIN)
    return user_id


def make_app(run: Runtime) -> FastAPI:
    app = FastAPI()
    app.state.run = run
    app.include_router(router)

    @app.get("/controllers/who.ashx", operation_id="get_who")
    @app.post("/controllers/who.ashx", operation_id="post_who")
    async def who(principal: SignedIn) -> dict[str, str]:
        return {"user": principal.user_name, "credential": principal.credential.partition(":")[0]}

    @app.post("/controllers/list.ashx")
    async def read(principal: Caller) -> dict[str, str]:
        return {"user": principal.user_name}

    @app.get("/api/v1/me")
    async def me(principal: SignedIn) -> dict[str, str]:
        return {"user": principal.user_name}

    equip(app, max_body_bytes=run.settings.max_body_bytes)
    return app


@asynccontextmanager
async def client_of(run: Runtime, base_url: str = "http://shelf.test") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_app(run))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


@pytest.fixture
async def client(run: Runtime, ada: UserId) -> AsyncIterator[httpx.AsyncClient]:
    assert ada
    async with client_of(run) as client:
        yield client


def basic(username: str, password: str, encoding: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{username}:{password}".encode(encoding)).decode()}


async def sign_in(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(LOGIN, data={"Username": "ada", "Password": PASSWORD})


async def test_login_answers_success_and_the_cookie_signs_in(client: httpx.AsyncClient) -> None:
    answer = await sign_in(client)

    assert answer.status_code == 200
    assert answer.json() == {"success": True}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(".ASPXAUTH=")
    assert "; HttpOnly" in cookie
    assert "; SameSite=lax" in cookie
    assert "; Max-Age=2592000" in cookie
    assert "; Path=/" in cookie
    assert "Secure" not in cookie
    assert (await client.get("/Controllers/Who.ashx")).json() == {"user": "ada", "credential": "cookie"}


@pytest.mark.usefixtures("ada")
async def test_login_over_tls_makes_a_secure_cookie(run: Runtime) -> None:
    async with client_of(run, "https://shelf.test") as client:
        assert "; Secure" in (await sign_in(client)).headers["set-cookie"]


async def test_login_takes_names_in_any_case_and_multipart(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/controllers/LOGIN.ASHX", files={"USERNAME": (None, "ada"), "password": (None, PASSWORD)}
    )

    assert answer.json() == {"success": True}


@pytest.mark.parametrize(
    "form",
    [{"Username": "ada", "Password": "wrong"}, {"Username": "eve", "Password": PASSWORD}, {"Username": "ada"}, {}],
)
async def test_failed_login_is_401_with_challenge(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    answer = await client.post(LOGIN, data=form)

    assert answer.status_code == 401
    assert answer.json() == {"success": False, "info": "The user name or the password is wrong"}
    assert answer.headers["www-authenticate"] == 'Basic realm="Coldshelf"'
    assert "set-cookie" not in answer.headers


async def test_login_reads_no_password_from_the_query(client: httpx.AsyncClient) -> None:
    answer = await client.post(LOGIN, params={"Username": "ada", "Password": PASSWORD})

    assert answer.status_code == 401


async def test_login_after_many_failures_is_429(client: httpx.AsyncClient) -> None:
    for _ in range(FAILURES_A_MINUTE):
        await client.post(LOGIN, data={"Username": "ada", "Password": "wrong"})

    answer = await sign_in(client)

    assert answer.status_code == 429
    assert answer.json()["success"] is False
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_login_from_another_site_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        LOGIN, data={"Username": "ada", "Password": PASSWORD}, headers={"Origin": "https://evil.test"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
async def test_basic_signs_in_in_both_charsets(client: httpx.AsyncClient, encoding: str) -> None:
    answer = await client.get("/Controllers/Who.ashx", headers=basic("ADA", PASSWORD, encoding))

    assert answer.json() == {"user": "ada", "credential": "user"}


async def test_token_signs_in_as_bearer_and_as_basic_password(
    run: Runtime, client: httpx.AsyncClient, client_id: ClientId, ada: UserId
) -> None:
    token = await add_token(run, client_id, ada, "upload")

    for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"bearer {token}"}, basic("any", token)):
        answer = await client.post("/controllers/who.ashx", headers=headers)
        assert answer.json() == {"user": "ada", "credential": "token"}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic YWRh"},
        {"Authorization": "Digest x"},
        {"Authorization": "Bearer cs_x"},
        {"Cookie": ".ASPXAUTH=forged"},
        basic("ada", "wrong"),
        basic("ada", "cs_wrong"),
    ],
)
async def test_wrong_or_no_credentials_are_401_in_the_contracts_shape(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/Controllers/Who.ashx", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Coldshelf"'
    body = answer.json()
    assert body.pop("info")
    assert body == {"success": False, "totalRecords": 0, "records": []}


async def test_no_credentials_are_a_problem_document_elsewhere(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/me")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_signed_in"
    assert answer.json()["requestId"] == answer.headers["x-request-id"]


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "http://shelf.test"}, 200),
        ({"Origin": "https://shelf.test"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://shelf.test:8080"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[bad"}, 403),
        ({"Origin": "http://evil.test", "Referer": "http://shelf.test/"}, 403),
        ({"Referer": "http://shelf.test/page?x=1"}, 200),
        ({"Referer": "http://evil.test/shelf.test"}, 403),
        ({"Origin": "https://front.test"}, 200),
    ],
)
async def test_cookie_changes_something_from_its_own_origin_only(
    run: Runtime, headers: dict[str, str], status: int
) -> None:
    run = replace(run, settings=run.settings.model_copy(update={"allow_origins": ("https://front.test",)}))
    async with client_of(run) as client:
        await sign_in(client)

        assert (await client.post("/controllers/who.ashx", headers=headers)).status_code == status
        assert (await client.get("/controllers/who.ashx", headers=headers)).status_code == 200


@pytest.mark.parametrize(("headers", "status"), [({}, 200), ({"Origin": "http://evil.test"}, 403)])
async def test_basic_credentials_of_a_browser_are_not_used_by_another_site(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/controllers/who.ashx", headers={**headers, **basic("ada", PASSWORD)})

    assert answer.status_code == status


async def test_handler_that_reads_by_post_takes_the_cookie_alone(client: httpx.AsyncClient) -> None:
    await sign_in(client)

    assert (await client.post("/Controllers/List.ashx")).json() == {"user": "ada"}


async def test_cookie_ends_when_the_password_changes(
    run: Runtime, client: httpx.AsyncClient, client_id: ClientId, ada: UserId
) -> None:
    await sign_in(client)

    await set_password(run, client_id, ada, "battery staple")

    assert (await client.get("/controllers/who.ashx")).status_code == 401


async def test_requests_of_one_credential_are_limited(run: Runtime, client_id: ClientId, ada: UserId) -> None:
    run = replace(run, settings=run.settings.model_copy(update={"requests_per_minute": 6, "api_processes": 2}))
    token = await add_token(run, client_id, ada, "upload")
    async with client_of(run) as client:
        answers = [await client.get("/controllers/who.ashx", headers=basic("ada", PASSWORD)) for _ in range(4)]
        other = await client.get("/controllers/who.ashx", headers=basic("", token))

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"3"}
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["totalRecords"] == 0
    assert other.status_code == 200


async def test_login_is_documented(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    operation = document["paths"]["/controllers/login.ashx"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/x-www-form-urlencoded", "multipart/form-data"}
    assert {"200", "401", "429"} <= set(operation["responses"])
