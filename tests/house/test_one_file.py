"""A new entity, dataset, column group, KPI or recogniser is one declaration and one registered name."""

import asyncpg
from fastapi import FastAPI
from tests.conftest import signed_in_client

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.web.asgi import equip
from coldshelf.kpis.formulas import KPIS, ImageFigures, Measure, kpi, measure
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.records.entity import Entity, Field, Reference
from coldshelf.records.fields import FieldType
from coldshelf.records.handlers import record_router
from coldshelf.records.registry import build_registry

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
    app.include_router(record_router(build_registry((*ENTITIES, ROUTE_PLAN), ()), {}))
    equip(app, max_body_bytes=1_000_000)

    async with await signed_in_client(run, app, client_id, "planner", Role.CLIENT_ADMIN) as http:
        await http.post("/controllers/Location.ashx?action=save&Code=L1&Name=First")
        await http.post("/controllers/RoutePlan.ashx?action=save&Code=R1&Stops=4&LocationCode=L1")
        listed = (await http.get("/controllers/RoutePlan.ashx?action=list")).json()

    assert listed["totalRecords"] == 1
    assert listed["records"][0]["Stops"] == 4
    assert listed["records"][0]["LocationCode"] == "L1"


def test_one_function_is_a_new_kpi() -> None:
    try:

        @kpi("ShelvesSeen", Measure.COUNT, "A figure of this test")
        def shelves_seen(image: ImageFigures) -> int:
            return len(image.facings)

        assert measure(ImageFigures((), ()))["shelves_seen"] == 0
    finally:
        KPIS.pop()


def test_every_declared_name_is_registered_once() -> None:
    known = registry()

    assert {entity.name for entity in ENTITIES} <= set(known.datasets)
    assert {"AssetPurity", "AssetPurityProduct", "ProductImage"} <= set(known.datasets)
