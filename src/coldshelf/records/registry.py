"""What the house can list and save: built once from the declarations that `entrypoints.bootstrap` names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from coldshelf.records.dataset import NOWHERE, ColumnGroup, Dataset, Join
from coldshelf.records.entity import Entity, Reference


@dataclass(frozen=True, slots=True)
class Showing:
    """Rows of `relation` that show these columns of the row whose id stands in their column `on`.

    With `via` the id stands in that relation's column, and `on` leads there.
    """

    relation: str
    on: str
    columns: frozenset[str]
    via: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """Entities and datasets by name; datasets come with the column groups of later rooms joined in.

    Entities stand in the order in which they can be filled: each refers to earlier ones, or to itself.
    """

    entities: Mapping[str, Entity]
    datasets: Mapping[str, Dataset]

    @property
    def listed(self) -> list[Dataset]:
        """Give the datasets that have rows; the others are promised only."""
        return [dataset for dataset in self.datasets.values() if dataset.has_rows]

    def references_of(self, entity: Entity) -> list[Reference]:
        """Give the references of an entity in the order of what they refer to."""
        rank = {name: place for place, name in enumerate(self.entities)}
        return sorted(entity.references, key=lambda reference: rank[reference.to])

    def referring(self, entity: Entity) -> list[tuple[Entity, Reference]]:
        """Give every reference to an entity with the entity that has it."""
        return [
            (other, reference)
            for other in self.entities.values()
            for reference in other.references
            if reference.to == entity.name
        ]

    def shown_in(self, entity: Entity) -> list[Showing]:
        """Give every place that shows columns of an entity: other entities, and datasets without one."""
        return [
            _showing(dataset, join)
            for dataset in self.datasets.values()
            for join in dataset.joins
            if join.relation == entity.table and join.key == "id"
        ]


def _showing(dataset: Dataset, join: Join) -> Showing:
    columns = frozenset(item.name for item in dataset.columns if item.of == join.name)
    if not join.of:
        # A row that leads to what is shown shows it by leading there.
        return Showing(
            dataset.relation, join.on, columns | {beyond.on for beyond in dataset.joins if beyond.of == join.name}
        )
    between = next(item for item in dataset.joins if item.name == join.of)
    return Showing(dataset.relation, between.on, columns, via=(between.relation, join.on))


def build_registry(
    entities: Iterable[Entity], datasets: Iterable[Dataset], groups: Iterable[ColumnGroup] = ()
) -> Registry:
    """Join everything; raise ValueError on a doubled name or a reference to nothing or to a later entity."""
    by_name: dict[str, Entity] = {}
    for entity in entities:
        if entity.name in by_name:
            raise ValueError(f"entity {entity.name} is registered twice")
        by_name[entity.name] = entity
        _check_references(entity, by_name)
    all_datasets: dict[str, Dataset] = {name: entity.dataset(by_name) for name, entity in by_name.items()}
    for dataset in datasets:
        if dataset.name in all_datasets:
            raise ValueError(f"dataset {dataset.name} is registered twice")
        all_datasets[dataset.name] = dataset
    for group in groups:
        all_datasets[group.of] = _extend(all_datasets[group.of], group)
    return Registry(by_name, all_datasets)


def _check_references(entity: Entity, earlier: Mapping[str, Entity]) -> None:
    for reference in entity.references:
        if reference.to not in earlier:
            raise ValueError(f"{entity.name}.{reference.wire} refers to {reference.to}, which is not registered before")
        own = {item.name for item in entity.references}
        unknown = set(reference.by.values()) - {
            item.wire for item in earlier[reference.to].fields if item.unique or item.unique_in in own
        }
        if unknown:
            raise ValueError(f"{entity.name}.{reference.wire} is found by {min(unknown)}, no unique field")


def _extend(dataset: Dataset, group: ColumnGroup) -> Dataset:
    columns = tuple(replace(column, of=group.relation or NOWHERE) for column in group.columns)
    common = [column for column in columns if dataset.column(column.wire)]
    if common:
        raise ValueError(f"{common[0].of} adds {common[0].wire} to {dataset.name} twice")
    if not group.relation:
        return replace(dataset, columns=(*dataset.columns, *columns))
    join = Join(name=group.relation, relation=group.relation, on="id", key=group.key)
    switches = (*dataset.plain_switches, *group.plain_switches)
    return replace(dataset, joins=(*dataset.joins, join), columns=(*dataset.columns, *columns), plain_switches=switches)
