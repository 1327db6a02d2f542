"""The command line, run as a person runs it."""

import json
import os
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.compliance.cooler import Cooler
from tests.support.command import coldshelf

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.pictures.rendering import CATALOGUE, SceneSpec, encode_jpeg, reference_pictures, render_scene


@pytest.fixture
def installation(url: str, tmp_path: Path) -> dict[str, str]:
    return {"COLDSHELF_DATABASE_URL": url, "COLDSHELF_DATA_DIR": str(tmp_path / "data")}


async def test_a_client_a_user_and_a_token_are_added(installation: dict[str, str]) -> None:
    client = coldshelf("client", "add", "bottler", "My Bottler", "--json", **installation)
    user = coldshelf("user", "add", "ann", "--client", "bottler", "--role", "Sales Rep", "--json", **installation)
    token = coldshelf("user", "token", "ann", "laptop", "--json", **installation)

    assert json.loads(client.stdout)["code"] == "bottler"
    assert json.loads(user.stdout)["role"] == "Sales Rep"
    assert len(json.loads(user.stdout)["password"]) >= 12
    assert json.loads(token.stdout)["token"].startswith("cs_")


async def test_a_record_is_checked_and_erased_and_its_erasure_listed(installation: dict[str, str]) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)
    coldshelf("user", "add", "ann", "--client", "bottler", "--role", "Sales Rep", **installation)
    arguments = ("User", "1", "--client", "bottler")

    checked = coldshelf("erase", *arguments, "--check", **installation)
    erased = coldshelf("erase", *arguments, "--reason", "asked for", "--json", **installation)
    again = coldshelf("erase", "User", "99", "--client", "bottler", **installation)
    listed = coldshelf("erasures", "--client", "bottler", "--json", **installation)

    assert checked.returncode == 0, checked.stderr
    assert "made a tombstone, User 1, at once" in checked.stdout
    assert checked.stdout.endswith("nothing was changed\n")
    assert json.loads(erased.stdout)["erasure"] == 1
    assert (again.returncode, "There is no User with id 99" in again.stderr) == (1, True)
    (row,) = json.loads(listed.stdout)
    assert (row["dataset"], row["row_id"], row["reason"], row["state"]) == ("User", 1, "asked for", "waiting")
    assert row["created_by_user"] == "command line"


async def test_a_link_is_made_listed_and_taken_back(
    installation: dict[str, str], run: Runtime, client_id: ClientId
) -> None:
    picture = (await Cooler.make(run, client_id, None)).picture_id
    arguments = ("picture.view", str(picture), "--client", "demo")
    public = {**installation, "COLDSHELF_PUBLIC_URL": "https://coolers.example.org"}

    made = coldshelf("link", "make", *arguments, "--for", "Ada", "--days", "2", "--json", **public)
    unknown = coldshelf("link", "make", "picture.view", "987654", "--client", "demo", **public)
    revoked = coldshelf("link", "revoke", "1", "--client", "demo", **public)
    listed = coldshelf("link", "list", "--client", "demo", **public)

    assert json.loads(made.stdout)["url"].startswith("https://coolers.example.org/l/"), made.stderr
    assert (unknown.returncode, "There is no AssetPurity with id 987654" in unknown.stderr) == (1, True)
    assert revoked.stdout.startswith("link 1 opens no more since ")
    (link,) = json.loads(listed.stdout)
    assert (link["record"], link["for"], link["action"]) == (f"AssetPurity {picture}", "Ada", None)
    assert link["revoked"] is not None


async def test_roles_and_limits_are_set_and_shown(installation: dict[str, str]) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)
    coldshelf("user", "add", "ann", "--client", "bottler", "--role", "Sales Rep", **installation)
    coldshelf("user", "token", "ann", "laptop", **installation)
    own = ("--based-on", "Sales Rep", "--permissions", '{"planogram.edit": true}', "--rights", '{"Asset": "read"}')

    saved = coldshelf("role", "save", "Planner", "--client", "bottler", *own, "--json", **installation)
    assigned = coldshelf("role", "assign", "ann", "planner", **installation)
    refused = coldshelf("role", "delete", "Planner", "--client", "bottler", **installation)
    token = json.loads(coldshelf("user", "tokens", "--client", "bottler", **installation).stdout)[0]
    wanted = ("--token", str(token["tokenId"]), "--market", "3", "--dataset", "Asset", "--hide", "personal")
    limited = coldshelf("limit", "set", "ann", *wanted, "--json", **installation)
    shown = json.loads(coldshelf("limit", "list", "--client", "bottler", **installation).stdout)

    assert json.loads(saved.stdout)["Permissions"] == {"planogram.edit": True}
    assert (assigned.returncode, refused.returncode) == (0, 1)
    assert "1 users have the role Planner" in refused.stderr
    assert shown == [
        {
            "AccessLimitId": json.loads(limited.stdout)["accessLimitId"],
            "UserId": token["userId"],
            "TokenId": token["tokenId"],
            "Grants": {"market": [3]},
            "Datasets": ["Asset"],
            "HiddenFields": ["personal"],
        }
    ]


async def test_a_role_and_a_limit_made_here_hold_at_the_api(
    installation: dict[str, str], run: Runtime, app: FastAPI
) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)
    for name, role in (("boss", "Client Admin"), ("partner", "Sales Rep")):
        coldshelf("user", "add", name, "--client", "bottler", "--role", role, **installation)
    tokens = {
        name: json.loads(coldshelf("user", "token", name, "t", "--json", **installation).stdout)["token"]
        for name in ("boss", "partner")
    }
    async with _with_token(app, tokens["boss"]) as http:
        for name in ("East", "West"):
            market = (await http.post("/api/v1/markets", json={"Name": name})).json()["MarketId"]
            outlet = {"Code": name[0], "Name": name, "MarketName": name, "PrimaryPhone": "1"}
            assert (await http.post("/api/v1/locations", json=outlet)).status_code == 201

    own = ("--based-on", "Sales Rep", "--rights", '{"Location": "write", "Product": "none"}')
    saved = coldshelf("role", "save", "Partner", "--client", "bottler", *own, **installation)
    assigned = coldshelf("role", "assign", "partner", "Partner", **installation)
    limited = coldshelf("limit", "set", "partner", "--market", str(market), "--hide", "personal", **installation)

    assert [done.returncode for done in (saved, assigned, limited)] == [0, 0, 0]
    async with _with_token(app, tokens["partner"]) as http:
        seen = (await http.get("/api/v1/locations")).json()["data"]
        by_handler = (await http.get("/controllers/Location.ashx?action=list")).json()
        changed = await http.patch(f"/api/v1/locations/{seen[0]['LocationId']}", json={"Name": "West Side"})
        beyond = await http.get("/api/v1/locations/code:E")
        products = await http.get("/api/v1/products")
    assert [(record["Code"], "PrimaryPhone" in record) for record in seen] == [("W", False)]
    assert [record["Code"] for record in by_handler["records"]] == ["W"]
    assert (changed.status_code, changed.json()["Name"]) == (200, "West Side")
    assert (beyond.status_code, products.status_code) == (404, 403)


def _with_token(app: FastAPI, token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://coldshelf.test", headers=headers)


async def test_a_taken_code_ends_with_a_clear_error(installation: dict[str, str]) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)

    again = coldshelf("client", "add", "bottler", "Another", **installation)

    assert again.returncode == 1
    assert "bottler" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_wrong_setting_stops_the_start_and_says_the_cure() -> None:
    done = coldshelf("doctor", COLDSHELF_PORT="eighty")

    assert done.returncode == 1
    assert "COLDSHELF_PORT" in done.stderr
    assert "Port on which the API listens" in " ".join(done.stderr.split())


async def test_doctor_finds_an_unmigrated_and_a_healthy_database(server: str, installation: dict[str, str]) -> None:
    healthy = coldshelf("doctor", "--json", **installation)
    empty = coldshelf("doctor", "--json", **{**installation, "COLDSHELF_DATABASE_URL": server.format("postgres")})

    findings = {finding["what"]: finding["state"] for finding in json.loads(healthy.stdout)}
    assert findings["tenants are closed to each other"] == "ok"
    assert empty.returncode == 1
    assert any("coldshelf migrate" in finding["cure"] for finding in json.loads(empty.stdout))


async def test_export_writes_a_run_and_its_marker(installation: dict[str, str], tmp_path: Path) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)

    done = coldshelf("export", "--client", "bottler", "--full", "--to", str(tmp_path / "out"), "--json", **installation)

    run = json.loads(done.stdout)
    assert (tmp_path / "out" / "Full" / "bottler" / "_runs" / run["runId"] / "_SUCCESS").exists()


async def test_a_run_is_validated_compared_and_what_broke_off_is_removed(
    installation: dict[str, str], tmp_path: Path
) -> None:
    coldshelf("client", "add", "bottler", "My Bottler", **installation)
    of = ("--client", "bottler", "--to", str(tmp_path / "out"))
    run = json.loads(coldshelf("export", *of, "--full", "--dataset", "Product", "--json", **installation).stdout)
    torn = tmp_path / "out/Full/bottler/Product/2026-01-01/20260101T000000000000Z-0000000a"
    torn.mkdir(parents=True)
    (torn / "part-00000.parquet").write_bytes(b"half")
    long_ago = 1_700_000_000
    os.utime(torn / "part-00000.parquet", (long_ago, long_ago))

    whole = coldshelf("validate", run["runId"], *of, "--json", **installation)
    compared = coldshelf("reconcile", run["runId"], *of, "--json", **installation)
    listed = coldshelf("repair", *of, **installation)
    was_there = torn.exists()
    repaired = coldshelf("repair", *of, "--remove", "--json", **installation)
    (part,) = (tmp_path / "out").rglob("part-00000.parquet")
    part.write_bytes(b"other bytes")
    broken = coldshelf("validate", run["runId"], *of, **installation)
    unknown = coldshelf("validate", "20260101T000000000000Z-0000000b", *of, **installation)

    assert (whole.returncode, json.loads(whole.stdout)) == (0, [])
    (table,) = json.loads(compared.stdout)
    assert (compared.returncode, table["dataset"], table["is_equal"]) == (0, "Product", True)
    assert (listed.returncode, was_there) == (0, True)
    assert "1 to remove: repeat with --remove" in listed.stdout
    assert [one["kept"] for one in json.loads(repaired.stdout)] == [""]
    assert broken.returncode == 1
    assert "sha256: the manifest says" in " ".join(broken.stdout.split())
    assert (unknown.returncode, "Say with --to where it lies" in " ".join(unknown.stderr.split())) == (1, True)


def test_openapi_names_every_handler_with_its_actions() -> None:
    document = json.loads(coldshelf("openapi").stdout)

    operations = document["paths"]
    wanted = {f"/controllers/{name}.ashx" for name in ("coolrapi", "assetpurity", "coolerimagepreview")}
    assert wanted <= set(operations)
    for path, item in operations.items():
        for method, operation in item.items():
            if path.startswith("/controllers/"):
                assert operation["tags"], (path, method)
                assert operation["responses"], (path, method)
                assert operation.get("parameters") or operation.get("requestBody"), (path, method)
    ids = [operation["operationId"] for item in operations.values() for operation in item.values()]
    assert len(ids) == len(set(ids))


def test_recognise_names_drawn_products_without_server_or_database(tmp_path: Path) -> None:
    designs = [design for design in CATALOGUE if design.packaging == CATALOGUE[0].packaging][:4]
    for design in designs:
        folder = tmp_path / "references" / design.sku
        folder.mkdir(parents=True)
        for number, picture in enumerate(reference_pictures(design)):
            (folder / f"{number}.jpg").write_bytes(encode_jpeg(picture))
    row = tuple(design.sku for design in designs)
    scene = render_scene(SceneSpec(rows=(row * 2, row[::-1] * 2, row * 2), seed=3))
    (tmp_path / "cooler.jpg").write_bytes(encode_jpeg(scene.image))

    done = coldshelf(
        "recognise",
        str(tmp_path / "cooler.jpg"),
        "--references",
        str(tmp_path / "references"),
        "--json",
        "--annotate",
        str(tmp_path / "annotated.jpg"),
    )

    found = [item["sku"][0] for shelf in json.loads(done.stdout)["shelf"] for item in shelf["products"]]
    wanted = [facing.sku for facing in scene.facings]
    assert len(set(found) & set(wanted)) >= 3
    assert sum(sku in wanted for sku in found) >= 0.7 * len(wanted)
    assert (tmp_path / "annotated.jpg").stat().st_size > 10_000


def test_render_draws_a_folder_once_and_refuses_it_the_second_time(tmp_path: Path) -> None:
    arguments = ("render", str(tmp_path / "out"), "--count", "1", "--size", "120x160", "--products", "6")
    first, again = coldshelf(*arguments), coldshelf(*arguments)
    wrong = coldshelf("render", str(tmp_path / "other"), "--size", "wide")

    assert first.returncode == 0, first.stderr
    assert len(json.loads((tmp_path / "out" / "ground_truth.json").read_text())["images"]) == 1
    assert again.returncode == wrong.returncode == 1
    assert "not empty" in again.stderr
    assert "WIDTHxHEIGHT" in wrong.stderr
    assert not (tmp_path / "other").exists()
