"""A reader's table never breaks: the columns of the bulk datasets are those that are frozen in `schemas/`."""

import copy
import re

import pytest

from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import ColumnSchema, DatasetSchema
from coldshelf.publishing.versions import ADDED
from tests.contracts.freeze_schemas import as_of, breaks, declared, frozen

COMMAND = "run: python -m tests.contracts.freeze_schemas"
EVERY_VERSION = [(name, version) for name, newest in BULK_DATASETS.items() for version in range(1, newest + 1)]


@pytest.mark.parametrize(("name", "version"), EVERY_VERSION)
def test_the_declared_schema_breaks_no_frozen_version(name: str, version: int) -> None:
    assert breaks(frozen()[name][version], declared()[name]) == []


@pytest.mark.parametrize("name", BULK_DATASETS)
def test_the_declared_schema_is_the_newest_frozen_one(name: str) -> None:
    assert declared()[name] == frozen()[name][BULK_DATASETS[name]], COMMAND


@pytest.mark.parametrize(("name", "version"), EVERY_VERSION)
def test_each_version_holds_the_columns_that_came_until_then(name: str, version: int) -> None:
    held = [column["name"] for column in frozen()[name][version]["columns"]]

    assert sorted(held) == sorted(column["name"] for column in as_of(declared()[name], version)["columns"])
    assert {*ADDED[name][version - 2]} <= {*held} if version > 1 else True


def test_every_frozen_dataset_is_still_published() -> None:
    assert {name: max(versions) for name, versions in frozen().items()} == BULK_DATASETS, COMMAND


def test_names_and_meanings_are_fit_for_readers() -> None:
    for schema in declared().values():
        names = [column["name"] for column in schema["columns"]]
        assert len({name.lower() for name in names}) == len(names)
        assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name) for name in names)
        assert all(column["meaning"] for column in schema["columns"])
        assert {*schema["key"], *COMMON} <= set(names)


def test_keys_and_what_deltas_need_are_never_empty_and_later_columns_may_be() -> None:
    """A reader of old and new files together sees no value of a later column in the old ones."""
    for schema in declared().values():
        nullable = {column["name"]: column["nullable"] for column in schema["columns"]}
        assert not any(nullable[name] for name in (*schema["key"], "ClientId", "IsDeleted", "CreatedOn", "ModifiedOn"))
        assert all(column["nullable"] for column in schema["columns"] if column["since"] > 1)


COMMON = {
    *("IsDeleted", "CreatedByUserId", "CreatedByUser", "CreatedOn"),
    *("ModifiedByUserId", "ModifiedByUser", "ModifiedOn", "ClientId"),
}
"""Contract 1.8."""


@pytest.fixture
def location() -> DatasetSchema:
    return copy.deepcopy(declared()["Location"])


def test_a_vanished_column_is_a_break(location: DatasetSchema) -> None:
    del location["columns"][1]

    assert breaks(declared()["Location"], location) == ["Location.LocationCode vanished"]


def test_a_renamed_column_is_a_break(location: DatasetSchema) -> None:
    location["columns"][1]["name"] = "OutletCode"

    assert breaks(declared()["Location"], location) == [
        "Location.LocationCode vanished",
        "Location: OutletCode must be named in versions.ADDED as version 3 or later",
    ]


def test_a_changed_type_is_a_break(location: DatasetSchema) -> None:
    location["columns"][1]["type"] = "int64"

    assert breaks(declared()["Location"], location) == ["Location.LocationCode was string, now it is int64"]


def test_a_changed_unit_is_a_break() -> None:
    door = copy.deepcopy(declared()["DoorEvent"])
    next(column for column in door["columns"] if column["name"] == "DoorOpenDuration")["unit"] = "min"

    assert breaks(declared()["DoorEvent"], door) == ["DoorEvent.DoorOpenDuration was in s, now it is in min"]


def test_a_column_that_may_now_be_empty_is_a_break(location: DatasetSchema) -> None:
    location["columns"][0]["nullable"] = True

    assert breaks(declared()["Location"], location) == ["Location.LocationId was never empty, now it may be"]


def test_a_personal_column_that_is_no_longer_one_is_a_break(location: DatasetSchema) -> None:
    _named(location, "PrimarySalesRep")["personal"] = False

    assert breaks(declared()["Location"], location) == [
        "Location.PrimarySalesRep was personal, so partners would now get it"
    ]


def test_another_key_is_a_break(location: DatasetSchema) -> None:
    location["key"] = ["LocationId", "LocationCode"]

    assert breaks(declared()["Location"], location) == [
        "Location: the key was LocationId, now it is LocationId + LocationCode"
    ]


def test_a_version_that_was_frozen_does_not_go_back(location: DatasetSchema) -> None:
    location["schemaVersion"] = 1

    assert breaks(declared()["Location"], location) == ["Location: version 2 is frozen, but versions.ADDED ends with 1"]


def test_an_added_column_takes_a_new_version(location: DatasetSchema) -> None:
    added: ColumnSchema = {
        "name": "New",
        "type": "string",
        "nullable": True,
        "unit": "",
        "meaning": "New",
        "personal": False,
        "since": 1,
    }
    location["columns"].append(added)

    assert breaks(declared()["Location"], location) == [
        "Location: New must be named in versions.ADDED as version 3 or later"
    ]
    added["since"] = location["schemaVersion"] = 3
    assert breaks(declared()["Location"], location) == []


def _named(schema: DatasetSchema, name: str) -> ColumnSchema:
    return next(column for column in schema["columns"] if column["name"] == name)
