"""A reader's table never breaks: the columns of the bulk datasets are those that are frozen in `schemas/`."""

import copy

import pytest

from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import DatasetSchema
from tests.contracts.freeze_schemas import breaks, declared, frozen

COMMAND = "run: python -m tests.contracts.freeze_schemas"


@pytest.mark.parametrize("name", BULK_DATASETS)
def test_the_declared_schema_is_the_frozen_one(name: str) -> None:
    assert breaks(frozen()[name], declared()[name]) == []
    assert declared()[name] == frozen()[name], COMMAND


def test_every_frozen_dataset_is_still_published() -> None:
    assert set(frozen()) == set(BULK_DATASETS), COMMAND


def test_names_and_meanings_are_fit_for_readers() -> None:
    for schema in declared().values():
        names = [column["name"] for column in schema["columns"]]
        assert len({name.lower() for name in names}) == len(names)
        assert all(name.isascii() and name.isalnum() for name in names)
        assert all(column["meaning"] for column in schema["columns"])
        assert {schema["key"], "ClientId", "IsDeleted", "CreatedOn", "ModifiedOn"} <= set(names)


@pytest.fixture
def location() -> DatasetSchema:
    return copy.deepcopy(declared()["Location"])


def test_a_vanished_column_is_a_break(location: DatasetSchema) -> None:
    del location["columns"][1]

    assert breaks(declared()["Location"], location) == ["Location.LocationCode vanished"]


def test_a_changed_type_is_a_break(location: DatasetSchema) -> None:
    location["columns"][1]["type"] = "int64"

    assert breaks(declared()["Location"], location) == ["Location.LocationCode was string, now it is int64"]


def test_a_column_that_may_now_be_empty_is_a_break(location: DatasetSchema) -> None:
    location["columns"][0]["nullable"] = True

    assert breaks(declared()["Location"], location) == ["Location.LocationId was never empty, now it may be"]


def test_an_added_column_takes_a_new_number(location: DatasetSchema) -> None:
    location["columns"].append({"name": "New", "type": "string", "nullable": True, "unit": "", "meaning": "New"})
    version = location["schemaVersion"]

    assert breaks(declared()["Location"], location) == [
        f"Location: its number in BULK_DATASETS is {version}, not {version + 1} (added: ['New'])"
    ]
    location["schemaVersion"] += 1
    assert breaks(declared()["Location"], location) == []
