"""The one limiter of rows and fields: what a principal sees of a dataset, whatever the door.

A dataset that is narrowed for a principal lacks the fields that are hidden from it, so they are unknown to filters,
sorts and formats alike; and where the principal is limited to outlets, its statements have one semi-join more, whose
value `limit_id` they cannot be run without.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from coldshelf.access.principal import Principal
from coldshelf.kit.errors import NotAllowed
from coldshelf.records.dataset import MODIFIED_ON, Column, Dataset
from coldshelf.records.entity import Entity, Reference
from coldshelf.records.errors import RecordNotFound

SIGHT = "principal_outlet"
"""The relation of expanded grants: `(client_id, limit_id, location_id)`."""
LOST = "left_sight"
"""The outlets that came out of a limit's sight: `(client_id, limit_id, location_id, left_on, left_revision)`."""
GONE = "left_outlet"
"""The relation of the outlets that rows stood in before: `(client_id, relation, row_id, location_id)`."""
LIMIT_ID = "limit_id"
PERSONAL = "personal"
"""The group of fields that tell of persons; as a hidden name it hides them all."""


def require_read(principal: Principal, dataset: Dataset) -> None:
    """Raise NotAllowed unless the principal may list and load the dataset."""
    principal.require_read(dataset.name, dataset.readers)
    if dataset.every_outlet:
        principal.require_every_outlet()


def require_write(principal: Principal, entity: Entity) -> None:
    """Raise NotAllowed unless the principal may save and delete the entity.

    What all outlets share is changed by those only whom nothing limits to some: a market moved below another one, for
    example, would widen the limit itself.
    """
    principal.require_write(entity.name, entity.writers, entity.permission)
    if entity.location is None:
        principal.require_every_outlet()


def may_read(principal: Principal, dataset: Dataset) -> bool:
    try:
        require_read(principal, dataset)
    except NotAllowed:
        return False
    return True


def may_write(principal: Principal, entity: Entity) -> bool:
    try:
        require_write(principal, entity)
    except NotAllowed:
        return False
    return True


def dataset_for(principal: Principal, dataset: Dataset) -> Dataset:
    """Narrow a dataset to what the principal sees; without a limit it is the dataset itself."""
    limit = principal.limit
    is_limited = limit.outlets is not None and dataset.location is not None
    return _narrowed(dataset, limit.hidden, is_limited) if limit.hidden or is_limited else dataset


def entity_for(principal: Principal, entity: Entity) -> Entity:
    """Narrow an entity to the fields, keys and references that the principal sees."""
    hidden = principal.limit.hidden
    return _narrowed_entity(entity, hidden) if hidden else entity


def limit_values(principal: Principal) -> dict[str, int | None]:
    """Give the value that the statements of a narrowed dataset need."""
    return {LIMIT_ID: principal.limit.outlets}


def limit_sql(dataset: Dataset, place: str) -> str:
    """Say in SQL that the outlet of the row `t` is in the sight of the limit whose id stands in the place."""
    held, via = "t", dataset.location_of
    start = f"FROM {SIGHT} AS seen WHERE "
    if via is not None:
        held = "held"
        start = f"FROM {via.relation} AS held JOIN {SIGHT} AS seen ON true WHERE held.client_id = t.client_id"
        start += f' AND held."{via.key}" = t."{via.on}" AND '
    return (
        f"EXISTS (SELECT {start}seen.client_id = t.client_id AND seen.limit_id = {place}"
        f' AND seen.location_id = {held}."{dataset.location}")'
    )


def gone_sql(dataset: Dataset, place: str) -> str:
    """Say in SQL that the row `t` was once where the limit whose id stands in the place sees it."""
    return (
        f"EXISTS (SELECT FROM {GONE} AS gone JOIN {SIGHT} AS seen ON seen.client_id = gone.client_id"
        f" AND seen.location_id = gone.location_id WHERE gone.client_id = t.client_id"
        f" AND gone.relation = '{dataset.relation}' AND gone.row_id = t.id AND seen.limit_id = {place})"
    )


def bulk_sql(dataset: Dataset, columns: Sequence[str], place: str) -> str:
    """Give the rows `t` of a narrowed dataset as a bulk file tells them: with those that left, as deleted ones.

    A row changes, to one who is limited, also when its outlet comes into sight or leaves it; its modification time and
    revision are the later ones. `columns` are empty in what left, but for those of the key, by which its receiver finds
    it; `in_sight` tells the two apart.
    """
    held, via, joined = "t", dataset.location_of, ""
    if via is not None:
        held = "held"
        joined = (
            f' LEFT JOIN {via.relation} AS held ON held.client_id = t.client_id AND held."{via.key}" = t."{via.on}"'
        )
    for name, relation in (("seen", SIGHT), ("lost", LOST)):
        joined += (
            f" LEFT JOIN {relation} AS {name} ON {name}.client_id = t.client_id AND {name}.limit_id = {place}"
            f' AND {name}.location_id = {held}."{dataset.location}"'
        )
    in_sight, kept = "seen.location_id IS NOT NULL", dataset.key_columns
    shown = "".join(
        f', t."{name}"' if name in kept else f', CASE WHEN {in_sight} THEN t."{name}" END AS "{name}"'
        for name in columns
    )
    return (
        f"SELECT t.id, t.client_id, t.is_deleted OR NOT {in_sight} AS is_deleted, {in_sight} AS in_sight,"
        f" greatest(t.modified_on, coalesce(seen.came_on, lost.left_on)) AS modified_on,"
        f" greatest(t.revision, coalesce(seen.came_revision, lost.left_revision)) AS revision{shown}"
        f" FROM {dataset.relation} AS t{joined}"
        f" WHERE {in_sight} OR lost.location_id IS NOT NULL OR {gone_sql(dataset, place)}"
    )


def is_hidden(hidden: frozenset[str], dataset: str, wire: str, *, personal: bool) -> bool:
    return wire in hidden or f"{dataset}.{wire}" in hidden or (personal and PERSONAL in hidden)


def fixed_fields(dataset: Dataset) -> frozenset[str]:
    """Name the fields that cannot be hidden: no list can do without them."""
    return frozenset({dataset.key, *dataset.whole_key, "ClientId", "IsDeleted", MODIFIED_ON})


def not_found(dataset: Dataset, row_id: int) -> RecordNotFound:
    return RecordNotFound(f"There is no {dataset.name} with id {row_id}")


@lru_cache(maxsize=4096)
def _narrowed(dataset: Dataset, hidden: frozenset[str], is_limited: bool) -> Dataset:
    fixed = fixed_fields(dataset)
    unseen = {
        _place(column)
        for column in dataset.columns
        if column.wire not in fixed and is_hidden(hidden, dataset.name, column.wire, personal=column.personal)
    }
    # The same column under another name is hidden with it, as Code and LocationCode are the same.
    columns = tuple(column for column in dataset.columns if column.wire in fixed or _place(column) not in unseen)
    if len(columns) == len(dataset.columns) and is_limited == dataset.limited:
        return dataset
    wires = {column.wire for column in columns}
    return replace(
        dataset,
        columns=columns,
        plain_filters=tuple(wire for wire in dataset.plain_filters if wire in wires),
        plain_switches=tuple(switch for switch in dataset.plain_switches if switch.field in wires),
        default_sort=dataset.default_sort if dataset.default_sort in wires else "",
        limited=is_limited,
    )


def _place(column: Column) -> tuple[str, str]:
    return column.of, column.name


@lru_cache(maxsize=4096)
def _narrowed_entity(entity: Entity, hidden: frozenset[str]) -> Entity:
    def sees(wire: str) -> bool:
        return not is_hidden(hidden, entity.name, wire, personal=wire in personal)

    personal = {item.wire for item in entity.fields if item.personal}
    fields = tuple(item for item in entity.fields if sees(item.wire))
    wires = {item.wire for item in fields}
    return replace(
        entity,
        fields=fields,
        keys={name: wire for name, wire in entity.keys.items() if wire in wires},
        references=tuple(_narrowed_reference(item, sees) for item in entity.references if sees(item.wire)),
    )


def _narrowed_reference(reference: Reference, sees: Callable[[str], bool]) -> Reference:
    return replace(reference, by={name: wire for name, wire in reference.by.items() if sees(name)})
