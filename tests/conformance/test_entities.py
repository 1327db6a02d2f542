"""What holds for every entity, walked over the registry: a new one passes without a test of its own."""

import json

import httpx
import pytest
from fastapi import FastAPI

from coldshelf.access.principal import Role
from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.records.entity import Entity
from tests.conformance.world import fields_of, save_world, value_of, whole_world
from tests.conftest import signed_in_client
from tests.records.support import Handler, Json

REGISTRY = registry()
ENTITIES = [*REGISTRY.entities.values()]


@pytest.fixture
async def world(admin: httpx.AsyncClient) -> dict[str, int]:
    """The id of one record of each entity, with every field and reference set."""
    return await save_world(admin)


async def _record(http: httpx.AsyncClient, entity: Entity, row_id: int) -> Json:
    return dict((await Handler(http, entity.name).load(id=row_id))["data"])


async def test_every_field_comes_back_as_it_was_saved_and_every_reference_leads_where_its_name_says(
    admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    for entity in ENTITIES:
        record = await _record(admin, entity, world[entity.name])

        sent = fields_of(entity)
        assert {wire: record[wire] for wire in sent} == sent, entity.name
        for reference in entity.references:
            if reference.to != entity.name:
                assert record[reference.wire] == world[reference.to], f"{entity.name}.{reference.wire}"
        assert record["CreatedByUser"] == "admin"


async def test_a_list_shows_what_load_shows(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    for entity in ENTITIES:
        record = await _record(admin, entity, world[entity.name])

        assert await Handler(admin, entity.name).records({entity.key: world[entity.name]}) == [record], entity.name


async def test_a_partial_update_changes_what_is_sent_only(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    for entity in ENTITIES:
        before = await _record(admin, entity, world[entity.name])
        item = next(item for item in entity.fields if not item.read_only)
        value = value_of(entity, item, 1)

        after = (await Handler(admin, entity.name).save(id=world[entity.name], **{item.wire: value}))["data"]

        same = {column.wire for column in REGISTRY.datasets[entity.name].columns if column.name == item.name}
        changed = {wire for wire in after if after[wire] != before[wire]}
        assert {item.wire, "ModifiedOn"} <= changed <= same | {"ModifiedOn", "Username"}, entity.name
        assert after[item.wire] == value


async def test_every_key_finds_the_record_in_any_letter_case(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    for entity in ENTITIES:
        for parameter, wire in entity.keys.items():
            value = str(value_of(entity, entity.field(wire))).upper()

            found = await Handler(admin, entity.name).load(**{parameter: value})

            assert found["id"] == world[entity.name], f"{entity.name} {parameter}"


async def test_every_name_of_a_reference_finds_the_same_record(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    for entity in ENTITIES:
        for reference in (item for item in entity.references if item.to != entity.name):
            target = REGISTRY.entities[reference.to]
            names = {name: value_of(target, target.field(wire)) for name, wire in reference.by.items()}
            for name, value in {**names, **dict.fromkeys(reference.ids, world[reference.to])}.items():
                if name in entity.keys:
                    continue
                saved = await Handler(admin, entity.name).save(id=world[entity.name], **{name: value})
                assert saved["data"][reference.wire] == world[reference.to], f"{entity.name} {name}"
                assert "warnings" not in saved


async def test_an_unknown_name_is_refused_and_says_where(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    for entity in ENTITIES:
        for reference in entity.references:
            for name in [*reference.by][:1]:
                if name in entity.keys:
                    continue
                reason = await Handler(admin, entity.name).refused("save", id=world[entity.name], **{name: "Nowhere"})
                assert reason.startswith(f"{name}: there is no {reference.to} 'Nowhere'"), entity.name


async def test_a_record_that_others_refer_to_is_not_deleted_unless_they_outlive_it(
    admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    for entity in ENTITIES:
        holders = [
            other
            for other, reference in REGISTRY.referring(entity)
            if not reference.outlived and other.name != entity.name
        ]
        if holders:
            reason = await Handler(admin, entity.name).refused("delete", id=world[entity.name])
            assert reason.startswith(f"{entity.name} {world[entity.name]} is still used by {holders[0].name}.")

    for entity in reversed(ENTITIES):
        deleted = await Handler(admin, entity.name).delete(id=world[entity.name])

        assert deleted["data"]["IsDeleted"] == 1, entity.name
        assert await Handler(admin, entity.name).records({entity.key: world[entity.name]}) == []
        assert await Handler(admin, entity.name).records({entity.key: world[entity.name]}, includeDeleted=1) == [
            deleted["data"]
        ]


async def test_saving_a_record_as_it_was_loaded_changes_nothing(
    admin: httpx.AsyncClient, world: dict[str, int]
) -> None:
    for entity in ENTITIES:
        before = await _record(admin, entity, world[entity.name])
        path = Handler(admin, entity.name).path

        answer = await admin.post(path, params={"action": "save", "id": world[entity.name]}, json=before)

        assert answer.json()["success"], f"{entity.name}: {answer.text}"
        after = answer.json()["data"]
        assert {wire for wire in after if after[wire] != before[wire]} == {"ModifiedOn"}, entity.name


async def test_every_further_handler_reaches_the_same_records(admin: httpx.AsyncClient, world: dict[str, int]) -> None:
    further = [(entity, name) for entity in ENTITIES for name in entity.handlers]

    for entity, name in further:
        assert (await Handler(admin, name).load(id=world[entity.name]))["data"] == await _record(
            admin, entity, world[entity.name]
        )
    assert {name for _, name in further} >= {"MarketHierarchy", "LocationType", "MeasurementUnitType", "SalesReps"}


@pytest.mark.parametrize("role", [Role.CLIENT_ADMIN, Role.INSTALLER, Role.SALES_REP])
async def test_who_may_read_and_write_is_who_the_declaration_names(
    run: Runtime, app: FastAPI, client_id: ClientId, world: dict[str, int], role: Role
) -> None:
    async with await signed_in_client(run, app, client_id, "somebody", role) as http:
        for entity in ENTITIES:
            handler = Handler(http, entity.name)
            reads = [await handler.page_answer(), await handler.post("load", id=world[entity.name])]
            writes = [
                await handler.post("save", id=world[entity.name]),
                await handler.post("delete", id=2**40),
            ]

            assert {answer.status_code for answer in reads} == {200 if role in entity.readers else 403}, entity.name
            assert {answer.status_code for answer in writes} == {200 if role in entity.writers else 403}, entity.name


async def test_a_stranger_sees_nothing_of_it(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient, world: dict[str, int]
) -> None:
    for entity in ENTITIES:
        handler = Handler(stranger, entity.name)

        for action in ("load", "save", "delete"):
            reason = await handler.refused(action, id=world[entity.name])
            assert reason == f"There is no {entity.name} with id {world[entity.name]}"
        assert world[entity.name] not in [record[entity.key] for record in await handler.records()]
        assert (await Handler(admin, entity.name).load(id=world[entity.name]))["data"]["IsDeleted"] == 0


async def test_a_record_is_no_part_of_itself_over_any_number_of_steps(admin: httpx.AsyncClient) -> None:
    for entity in ENTITIES:
        for reference in (item for item in entity.references if item.to == entity.name):
            await save_needed(admin, entity)
            handler = Handler(admin, entity.name)
            first, second, third = [
                (await handler.save(**{**whole_world(REGISTRY)[entity.name], **_own(entity, number)}))["id"]
                for number in range(3)
            ]
            await handler.save(id=second, **{reference.wire: first})
            await handler.save(id=third, **{reference.wire: second})

            reason = await handler.refused("save", id=first, **{reference.wire: third})

            assert reason == f"{reference.wire}: {entity.name} {third} stands below {first} already"
            itself = await handler.refused("save", id=first, **{reference.wire: first})
            assert itself == f"{reference.wire}: {entity.name} {first} cannot refer to itself"


def _own(entity: Entity, number: int) -> dict[str, object]:
    return {item.wire: value_of(entity, item, number) for item in entity.fields if item.unique}


async def save_needed(admin: httpx.AsyncClient, entity: Entity) -> None:
    """Save what stands before an entity in the registry."""
    for name, values in whole_world(REGISTRY).items():
        if name == entity.name:
            return
        await Handler(admin, name).save(**values)


def test_every_entity_is_described_with_all_that_it_takes(app: FastAPI) -> None:
    document = app.openapi()

    for entity in ENTITIES:
        for name in (entity.name, *entity.handlers):
            operation = document["paths"][f"/controllers/{name.lower()}.ashx"]["post"]
            form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
            taken = {item.wire for item in entity.fields if not item.read_only}
            taken |= {sent for reference in entity.references for sent in reference.accepted}
            assert taken <= form.keys(), name
    assert json.dumps(document)
