"""`POST /api/v1/imports`: a file becomes a run, which is a resource."""

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from tests.masterdata.import_support import as_csv
from tests.records.support import Handler, Json
from tests.support.limits import limit_user, partner, signed_in

IMPORTS = "/api/v1/imports"
OUTLET = {"Code": "OUT-1", "Name": "Corner", "Street": "1 Main Street"}


async def send(
    http: httpx.AsyncClient, rows: list[Json], key: str = "", kind: str = "Outlet", **fields: str
) -> httpx.Response:
    return await http.post(
        IMPORTS,
        data={"type": kind, **fields},
        files={"file": ("outlets.csv", as_csv(rows))},
        headers={"Idempotency-Key": key} if key else {},
    )


async def test_an_import_answers_its_run(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, [OUTLET])

    run = answer.json()
    assert answer.status_code == 200
    assert (run["State"], run["Inserted"], run["TotalRows"], run["Errors"]) == ("done", 1, 1, [])
    assert (run["Type"], run["FileName"], run["CreatedByUser"]) == ("Outlet", "outlets.csv", "admin")
    assert (await admin.get(f"{IMPORTS}/{run['ImportId']}")).json() == run
    assert [record["Code"] for record in await Handler(admin, "Location").records()] == ["OUT-1"]


async def test_a_bad_cell_fails_the_run_and_writes_nothing(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, [{**OUTLET, "Latitude": "91"}])

    run = answer.json()
    assert (answer.status_code, run["State"], run["ErrorCount"]) == (200, "failed", 1)
    assert run["Errors"][0]["column"] == "Latitude"
    assert await Handler(admin, "Location").records() == []


async def test_a_check_writes_nothing_and_makes_no_run(admin: httpx.AsyncClient) -> None:
    answer = await send(admin, [{**OUTLET, "Latitude": "91"}], check="true")

    assert answer.status_code == 200
    assert answer.json()["errors"][0]["cure"] == "Write a number: -90 to 90."
    assert (await admin.get(IMPORTS)).json()["data"] == []


async def test_an_import_in_the_background_is_accepted_and_found_at_its_location(admin: httpx.AsyncClient) -> None:
    first = await send(admin, [OUTLET], key="k", background="true")
    again = await send(admin, [OUTLET], key="k", background="true")

    assert (first.status_code, first.json()["State"]) == (202, "waiting")
    assert first.headers["location"] == f"{IMPORTS}/{first.json()['ImportId']}"
    assert (await admin.get(first.headers["location"])).json() == first.json()
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (202, first.json(), "true")
    assert again.headers["location"] == first.headers["location"]
    assert (await admin.get(IMPORTS)).json()["data"] == [first.json()]


async def test_another_file_under_the_same_key_is_refused(admin: httpx.AsyncClient) -> None:
    await send(admin, [OUTLET], key="k")

    other = await send(admin, [{**OUTLET, "Code": "OUT-2"}], key="k")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await Handler(admin, "Location").records()) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "Shop"}, "import_type_unknown"),
        ({"type": "Outlet", "blanks": "maybe"}, "input_invalid"),
        ({"type": "Outlet", "action": "undo"}, "input_invalid"),
        ({"type": "Outlet", "check": "perhaps"}, "input_invalid"),
    ],
)
async def test_what_cannot_be_used_is_a_problem_document(
    admin: httpx.AsyncClient, fields: dict[str, str], code: str
) -> None:
    answer = await admin.post(IMPORTS, data=fields, files={"file": ("a.csv", as_csv([OUTLET]))})
    without = await admin.post(IMPORTS, data={"type": "Outlet"})

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (without.status_code, without.json()["code"]) == (400, "import_file_missing")
    assert await Handler(admin, "Location").records() == []


async def test_roles_limits_and_clients_hold(
    run: Runtime,
    app: FastAPI,
    client_id: ClientId,
    admin: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    sales_rep: httpx.AsyncClient,
    nobody: httpx.AsyncClient,
) -> None:
    made = (await send(admin, [OUTLET])).json()
    user_id = await partner(run, client_id)
    outlet = (await Handler(admin, "Location").load(LocationCode="OUT-1"))["id"]
    await limit_user(run, client_id, user_id, {"outlet": [outlet]}, hidden=["personal"])

    async with signed_in(app, "partner") as limited:
        own = await send(limited, [{**OUTLET, "Name": "New"}])
        beyond = await send(limited, [{**OUTLET, "Code": "OUT-2"}])
        shared = await send(limited, [{"SKU": "1"}], kind="Product")
    foreign = await stranger.get(f"{IMPORTS}/{made['ImportId']}")

    assert (own.json()["State"], "CreatedByUser" in own.json()) == ("done", False)
    assert beyond.json()["State"] == "failed"
    assert shared.status_code == 403
    assert [(await send(http, [OUTLET])).status_code for http in (sales_rep, nobody)] == [403, 401]
    assert foreign.status_code == 404
    assert [record["Name"] for record in await Handler(admin, "Location").records()] == ["New"]


@pytest.mark.parametrize("limit", [{"outlets": True}, {"datasets": ["Location"]}])
async def test_a_limited_credential_sees_the_runs_that_it_made_and_no_others(
    run: Runtime,
    app: FastAPI,
    client_id: ClientId,
    admin: httpx.AsyncClient,
    sales_rep: httpx.AsyncClient,
    stranger: httpx.AsyncClient,
    limit: dict[str, object],
) -> None:
    foreign = (await send(admin, [OUTLET])).json()
    outlet = (await Handler(admin, "Location").load(LocationCode="OUT-1"))["id"]
    user_id = await partner(run, client_id)
    grants = {"outlet": [outlet]} if limit.get("outlets") else {}
    datasets = [*limit["datasets"]] if "datasets" in limit else None  # type: ignore[misc]
    await limit_user(run, client_id, user_id, grants, hidden=["personal"], datasets=datasets)

    async with signed_in(app, "partner") as limited:
        sent = await send(limited, [{**OUTLET, "Name": "New"}], background="true")
        own = sent.json()
        found = await limited.get(sent.headers["location"])
        by_number = await limited.get(f"{IMPORTS}/{own['ImportRunId']}")
        others = [await limited.get(f"{IMPORTS}/{foreign[name]}") for name in ("ImportId", "ImportRunId")]
        nothing = await limited.get(f"{IMPORTS}/999999")
        listed = [await limited.get(path) for path in (IMPORTS, f"{IMPORTS}/changes")]

    assert (sent.status_code, found.status_code, found.json()) == (202, 200, own)
    assert (by_number.json(), "CreatedByUser" in own) == (own, False)
    assert [(answer.status_code, answer.json()["code"]) for answer in [*others, nothing]] == [
        (404, "import_not_found")
    ] * 3
    assert [answer.status_code for answer in listed] == [403, 403]
    assert (await sales_rep.get(f"{IMPORTS}/{own['ImportId']}")).status_code == 403
    assert (await stranger.get(f"{IMPORTS}/{own['ImportId']}")).status_code == 404
    assert (await admin.get(f"{IMPORTS}/{own['ImportId']}")).json()["CreatedByUser"] == "partner"
