"""A new entity, dataset, column group, KPI or recogniser is one declaration and one registered name."""

import shutil
import subprocess
import sys
from pathlib import Path

import asyncpg
from fastapi import FastAPI
from tests.conftest import signed_in_client

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.asgi import equip
from coldshelf.kpis.formulas import KPIS
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType
from coldshelf.records.handlers import record_router
from coldshelf.records.registry import build_registry
from coldshelf.records.resources.router import resource_router

SOURCE = Path(__file__).parent.parent.parent / "src" / "coldshelf"
ROUTE_PLAN = Entity(
    name="RoutePlan",
    table="route_plan",
    meaning="A planned tour",
    fields=(
        Field(wire="Code", required=True, unique=True, max_length=20, meaning="Code"),
        Field(wire="Stops", type=FieldType.INTEGER, meaning="Stops"),
    ),
    references=(
        Reference(
            wire="LocationId",
            to="Location",
            by={"LocationCode": "Code"},
            shows={"LocationCode": "code"},
            meaning="First stop",
        ),
    ),
    keys={"RoutePlanCode": "Code", "Code": "Code"},
    location="location_id",
)
TABLE = """
CREATE TABLE route_plan (code text NOT NULL, code_key text GENERATED ALWAYS AS (lower(code)) STORED, stops bigint,
    location_id bigint);
SELECT coldshelf_tenant_table('route_plan');
"""


async def test_one_declared_entity_gets_its_handler_list_and_save(run: Runtime, url: str, client_id: ClientId) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.close()
    app = FastAPI()
    app.state.run = run
    declared = build_registry((*ENTITIES, ROUTE_PLAN), ())
    app.include_router(record_router(declared, {}))
    app.include_router(resource_router(declared, {}))
    equip(app, max_body_bytes=1_000_000)

    async with await signed_in_client(run, app, client_id, "planner", Role.CLIENT_ADMIN) as http:
        await http.post("/controllers/Location.ashx?action=save&Code=L1&Name=First")
        await http.post("/controllers/RoutePlan.ashx?action=save&Code=R1&Stops=4&LocationCode=L1")
        listed = (await http.get("/controllers/RoutePlan.ashx?action=list")).json()
        read = (await http.get("/api/v1/route-plans/code:R1")).json()

    assert listed["totalRecords"] == 1
    assert listed["records"][0]["Stops"] == 4
    assert listed["records"][0]["LocationCode"] == "L1"
    assert (read["Stops"], read["LocationCode"]) == (4, "L1")


NEW_ENTITY = '''"""Territories of this test."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity

TERRITORY = Entity(
    name="Territory",
    table="territory",
    meaning="Territory",
    fields=named_fields("Territory"),
    keys=named_keys("Territory"),
    client_wide="Territories hold many outlets.",
    handlers=("SalesTerritory",),
)
'''
SHOWN_ENTITY = """
from coldshelf.entrypoints.bootstrap import registry, runtime
from coldshelf.entrypoints.api import build_app
from coldshelf.entrypoints.reference import reference_page
from coldshelf.kit.settings import load_settings
paths = build_app(load_settings(), None).openapi()["paths"]
print(sorted(path for path in paths if "territory" in path))
print(registry().datasets["Territory"].column("externalterritorycode").name)
print([line for line in reference_page().splitlines() if "ExternalTerritoryCode" in line][0])
"""


def test_one_file_and_one_name_are_a_new_entity(tmp_path: Path) -> None:
    """It has handlers, a dataset and docs; only the migration of its table comes on top."""
    shutil.copytree(SOURCE, tmp_path / "coldshelf", ignore=shutil.ignore_patterns("__pycache__"))
    entities = tmp_path / "coldshelf" / "masterdata" / "entities"
    (entities / "territory.py").write_text(NEW_ENTITY)
    names = entities / "__init__.py"
    line = "from coldshelf.masterdata.entities.territory import TERRITORY\n"
    names.write_text(line + names.read_text().replace("    FACTORY_ASSET,\n", "    FACTORY_ASSET, TERRITORY,\n"))

    done = subprocess.run(
        [sys.executable, "-c", SHOWN_ENTITY],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.splitlines() == [
        "['/controllers/salesterritory.ashx', '/controllers/territory.ashx']",
        "external_code",
        "| `ExternalTerritoryCode` | text | `ExternalTerritoryCode` |  | Key in your own system |",
    ], done.stderr


def test_every_file_of_entities_is_registered() -> None:
    files = {path.stem for path in (SOURCE / "masterdata" / "entities").glob("[a-z]*.py")}

    registered = {"user" if entity.table == "app_user" else entity.table for entity in ENTITIES}

    assert files == registered


NEW_KPI = '''"""A KPI of this test."""

from coldshelf.kpis.figures import Group, ImageFigures, Measure

GROUP = Group("Shelves")


@GROUP.kpi("RowsSeen", Measure.COUNT, "Rows of the result")
def rows_seen(image: ImageFigures) -> int:
    """Count the rows."""
    return len(image.facings)
'''
SHOWN = """
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.entrypoints.reference import reference_page
from coldshelf.kpis.figures import ImageFigures
from coldshelf.kpis.formulas import measure
print(measure(ImageFigures((), ()))["rows_seen"])
print(registry().datasets["AssetPurity"].column("rowsseen").name)
print([line for line in reference_page().splitlines() if "RowsSeen" in line][0])
"""


def test_one_file_and_one_name_are_a_new_kpi(tmp_path: Path) -> None:
    """It is measured, listed and documented; only the migration of its column comes on top."""
    shutil.copytree(SOURCE, tmp_path / "coldshelf", ignore=shutil.ignore_patterns("__pycache__"))
    formulas = tmp_path / "coldshelf" / "kpis" / "formulas"
    (formulas / "shelves.py").write_text(NEW_KPI)
    names = formulas / "__init__.py"
    edited = names.read_text().replace("seen, shares\n", "seen, shares, shelves\n")
    names.write_text(edited.replace("    seen.GROUP,\n", "    seen.GROUP, shelves.GROUP,\n"))

    done = subprocess.run(
        [sys.executable, "-c", SHOWN], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.stdout.splitlines() == [
        "0",
        "rows_seen",
        "| `RowsSeen` | integer | `RowsSeen` |  | Rows of the result |",
    ], done.stderr


def test_every_file_of_formulas_is_registered() -> None:
    files = {path.stem for path in (SOURCE / "kpis" / "formulas").glob("[a-z]*.py")}

    registered = {figure.formula.__module__.rpartition(".")[2] for figure in KPIS}

    assert files == registered


def test_every_declared_name_is_registered_once() -> None:
    known = registry()

    assert {entity.name for entity in ENTITIES} <= set(known.datasets)
    assert {"AssetPurity", "AssetPurityProduct", "ProductImage"} <= set(known.datasets)
