"""What holds for every entity of the published contract (1.4, 5.1), asked through its handler."""

import asyncio
from datetime import datetime

import httpx
import pytest

from coldshelf.masterdata.entities import ENTITIES
from tests.masterdata.examples import EXAMPLES, Example
from tests.records.support import Handler

COMMON = {
    "ClientId": 1,
    "IsDeleted": 0,
    "CreatedByUser": "admin",
    "ModifiedByUser": "admin",
}
each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.entity)
each_external = pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.external], ids=lambda example: example.entity
)


def test_every_entity_with_a_published_field_list_has_an_example() -> None:
    assert {"Location", "AssetType", "Asset", "Product", "Planogram"} <= {example.entity for example in EXAMPLES}


@each
async def test_a_saved_record_comes_back_with_the_common_fields(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)

    saved = await example.add(handler)

    record = saved["data"]
    assert {name: record[name] for name in COMMON} == COMMON
    assert record[example.key] == saved["id"]
    assert record["CreatedByUserId"] == record["ModifiedByUserId"] == 1
    assert record["CreatedOn"] == record["ModifiedOn"]
    assert len(record["ModifiedOn"]) == len("2024-08-01T00:00:00.000000")
    datetime.strptime(record["ModifiedOn"], "%Y-%m-%dT%H:%M:%S.%f")  # noqa: DTZ007  # the contract's times carry no zone
    assert "warnings" not in saved


@each
async def test_load_finds_by_id_and_by_code_in_any_letter_case(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    saved = await example.add(handler)
    name, value = example.code

    by_id = await handler.load(id=saved["id"])
    by_code = await handler.load(**{name: value})

    assert by_id == by_code == saved


@each_external
async def test_load_finds_by_external_code(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    saved = await example.add(handler)
    assert example.external

    assert await handler.load(**dict([example.external])) == saved


@each
async def test_an_update_changes_only_what_is_sent(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    before = (await example.add(handler))["data"]
    name, value = example.change

    after = (await handler.save(id=before[example.key], **{name: value}))["data"]

    changed = {wire for wire in after if after[wire] != before[wire]}
    shown_with_it = {"Manufacturer"} if name == "ManufacturerId" else set()
    assert changed == {name, "ModifiedOn"} | shown_with_it
    assert after[name] == value
    assert after["ModifiedOn"] > before["ModifiedOn"]


@each
async def test_an_update_by_code_changes_the_same_record_and_keeps_the_code_as_it_was_written(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    before = (await example.add(handler))["data"]
    change = dict([example.change])

    after = (await handler.save(**dict([example.code]), **change))["data"]

    assert after[example.key] == before[example.key]
    kept = {wire: before[wire] for wire in example.new if wire in before and wire not in change}
    assert {wire: after[wire] for wire in kept} == kept


@each_external
async def test_saving_the_external_code_only_updates_the_record_that_has_it(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    before = (await example.add(handler))["data"]
    assert example.external

    after = await handler.save(**dict([example.external, example.change]))

    assert after["id"] == before[example.key]
    assert after["data"][example.change[0]] == example.change[1]
    assert (await handler.page())["totalRecords"] == (2 if example.entity == "Product" else 0) + 1


@each
async def test_saving_the_same_again_makes_no_second_record(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    first = await example.add(handler)

    second = await handler.save(**example.new)

    assert second["id"] == first["id"]
    assert second["data"]["CreatedOn"] == first["data"]["CreatedOn"]
    assert second["data"]["ModifiedOn"] > first["data"]["ModifiedOn"]


@each
async def test_id_zero_adds_and_refuses_a_code_that_exists(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    for entity, values in example.needs:
        await Handler(admin, entity).save(**values)
    added = await handler.save(id=0, **example.new)

    reason = await handler.refused("save", id=0, **example.new)

    assert reason.startswith(f"{example.entity} ")
    assert reason.endswith("exists already; leave id out to change it")
    assert await handler.load(id=added["id"]) == added


@each
async def test_a_new_record_without_its_required_fields_is_refused_and_they_are_named(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    entity = next(entity for entity in ENTITIES if entity.name == example.entity)
    required = [item.wire for item in (*entity.fields, *entity.references) if item.required]

    reason = await handler.refused("save", id=0)

    assert reason == f"{example.entity} needs {', '.join(required)}"


@each
async def test_an_unknown_record_is_refused(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    name, value = example.code

    for action in ("load", "save", "delete"):
        assert await handler.refused(action, id=999) == f"There is no {example.entity} with id 999"
    for action in ("load", "delete"):
        assert await handler.refused(action, **{name: value}) == f"There is no {example.entity} {name}={value}"
        assert (await handler.refused(action)).startswith(f"There is no {example.entity} without id, ")


@each
async def test_a_deleted_record_stays_for_readers_of_deltas_only(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    saved = await example.add(handler)
    of_it = {example.key: saved["id"]}

    deleted = await handler.delete(**dict([example.code]))

    assert deleted["id"] == saved["id"]
    assert deleted["data"]["IsDeleted"] == 1
    assert deleted["data"]["ModifiedOn"] > saved["data"]["ModifiedOn"]
    assert await handler.records(of_it) == []
    for shown in (
        await handler.records(of_it, includeDeleted=1),
        await handler.records({**of_it, "modifiedOn": {"operator": ">", "value": "2024-08-01T00:00:00"}}),
        await handler.records({**of_it, "IsDeleted": 1}),
        await handler.records(of_it, cursor=""),
    ):
        assert shown == [deleted["data"]]
    assert await handler.refused("load", id=saved["id"]) == f"There is no {example.entity} with id {saved['id']}"


@each
async def test_a_deleted_code_can_be_used_again(admin: httpx.AsyncClient, example: Example) -> None:
    handler = Handler(admin, example.entity)
    first = await example.add(handler)
    await handler.delete(id=first["id"])

    second = await handler.save(**example.new)

    assert second["id"] > first["id"]


@each
async def test_two_upserts_of_the_same_new_code_at_once_both_succeed(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    for entity, values in example.needs:
        await Handler(admin, entity).save(**values)

    answers = await asyncio.gather(*(handler.save(**example.new) for _ in range(6)))

    assert len({answer["id"] for answer in answers}) == 1
    assert len(await handler.records({example.key: answers[0]["id"]})) == 1


@each
async def test_unknown_and_read_only_parameters_are_named_in_warnings(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    for entity, values in example.needs:
        await Handler(admin, entity).save(**values)

    saved = await handler.save(**example.new, Colour="red", ModifiedOn="2020-01-01")

    assert saved["warnings"] == [
        f"Colour was ignored: {example.entity} has no such field",
        "ModifiedOn was ignored: it is only read",
    ]
    assert saved["data"]["ModifiedOn"] > "2026"


@each
async def test_a_record_sent_back_as_it_was_loaded_is_taken_unchanged(
    admin: httpx.AsyncClient, example: Example
) -> None:
    handler = Handler(admin, example.entity)
    before = (await example.add(handler))["data"]

    answer = await admin.post(handler.path, params={"action": "save", "id": before[example.key]}, json=before)

    after = answer.json()["data"]
    assert {wire for wire in after if after[wire] != before[wire]} == {"ModifiedOn"}
