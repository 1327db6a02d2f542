"""What the house can list and save: built once from the declarations that `entrypoints.bootstrap` names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from coldshelf.records.dataset import ColumnGroup, Dataset, Join
from coldshelf.records.entity import Entity


@dataclass(frozen=True, slots=True)
class Registry:
    """Entities and datasets by name; datasets come with the column groups of later rooms joined in."""

    entities: Mapping[str, Entity]
    datasets: Mapping[str, Dataset]


def build_registry(
    entities: Iterable[Entity], datasets: Iterable[Dataset], groups: Iterable[ColumnGroup] = ()
) -> Registry:
    """Join everything; raise ValueError on a doubled name or a reference to nothing."""
    by_name = _unique({}, entities)
    for entity in by_name.values():
        for reference in entity.references:
            if reference.to not in by_name:
                raise ValueError(f"{entity.name}.{reference.wire} refers to {reference.to}, which is not registered")
    all_datasets: dict[str, Dataset] = {name: entity.dataset(by_name) for name, entity in by_name.items()}
    for dataset in datasets:
        if dataset.name in all_datasets:
            raise ValueError(f"dataset {dataset.name} is registered twice")
        all_datasets[dataset.name] = dataset
    for group in groups:
        all_datasets[group.of] = _extend(all_datasets[group.of], group)
    return Registry(by_name, all_datasets)


def _unique(found: dict[str, Entity], entities: Iterable[Entity]) -> dict[str, Entity]:
    for entity in entities:
        if entity.name in found:
            raise ValueError(f"entity {entity.name} is registered twice")
        found[entity.name] = entity
    return found


def _extend(dataset: Dataset, group: ColumnGroup) -> Dataset:
    columns = tuple(replace(column, of=group.relation) for column in group.columns)
    common = [column for column in columns if dataset.column(column.wire)]
    if common:
        raise ValueError(f"{group.relation} adds {common[0].wire} to {dataset.name} twice")
    join = Join(name=group.relation, relation=group.relation, on="id", key=group.key)
    return replace(dataset, joins=(*dataset.joins, join), columns=(*dataset.columns, *columns))
