"""Declarations that cannot hold together stop the start."""

from dataclasses import replace

import pytest

from coldshelf.masterdata.entities import ENTITIES
from coldshelf.masterdata.entities.brand import BRAND
from coldshelf.masterdata.entities.manufacturer import MANUFACTURER
from coldshelf.records.dataset import Column, ColumnGroup
from coldshelf.records.entity import Entity
from coldshelf.records.fields import FieldType
from coldshelf.records.registry import Showing, build_registry


def test_a_name_registered_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="entity Manufacturer is registered twice"):
        build_registry((MANUFACTURER, MANUFACTURER), ())
    with pytest.raises(ValueError, match="dataset Manufacturer is registered twice"):
        build_registry((MANUFACTURER,), (MANUFACTURER.dataset({}),))


@pytest.mark.parametrize("entities", [(BRAND,), (BRAND, MANUFACTURER)])
def test_a_reference_to_what_is_not_registered_before_is_refused(entities: tuple[Entity, ...]) -> None:
    with pytest.raises(
        ValueError, match=r"Brand\.ManufacturerId refers to Manufacturer, which is not registered before"
    ):
        build_registry(entities, ())


def test_a_reference_found_by_a_field_that_is_not_unique_is_refused() -> None:
    reference = replace(BRAND.references[0], by={"ManufacturerKind": "IsForeign"})

    with pytest.raises(ValueError, match=r"Brand\.ManufacturerId is found by IsForeign, no unique field"):
        build_registry((MANUFACTURER, replace(BRAND, references=(reference,))), ())


def test_a_column_group_may_not_repeat_a_column() -> None:
    column = Column(wire="NAME", type=FieldType.TEXT, meaning="Again")

    with pytest.raises(ValueError, match="maker_figures adds NAME to Manufacturer twice"):
        build_registry(
            (MANUFACTURER,),
            (),
            (ColumnGroup(of="Manufacturer", relation="maker_figures", key="id", columns=(column,)),),
        )


def test_column_groups_come_behind_the_columns_of_the_dataset() -> None:
    column = Column(wire="Products", type=FieldType.INTEGER, meaning="Its products")
    group = ColumnGroup(of="Manufacturer", relation="maker_figures", key="maker_id", columns=(column,))

    dataset = build_registry((MANUFACTURER,), (), (group,)).datasets["Manufacturer"]

    assert dataset.columns[-1] == replace(column, of="maker_figures")
    assert (dataset.joins[-1].relation, dataset.joins[-1].on, dataset.joins[-1].key) == (
        "maker_figures",
        "id",
        "maker_id",
    )


def test_the_registry_knows_where_each_name_is_shown() -> None:
    known = build_registry(ENTITIES, ())

    shown = known.shown_in(MANUFACTURER)

    assert shown == [
        Showing("brand", "manufacturer_id", frozenset({"name"})),
        Showing("asset_type", "manufacturer_id", frozenset({"name"})),
        Showing("product", "manufacturer_id", frozenset({"name"})),
        Showing("asset", "asset_type_id", frozenset({"name"}), via=("asset_type", "manufacturer_id")),
    ]
