"""Chooses records by the filters of lists, for what is done with many at once."""

from collections.abc import Collection, Sequence

from coldshelf.access.principal import Principal
from coldshelf.kit.db import Connection
from coldshelf.records import store
from coldshelf.records.dataset import Dataset
from coldshelf.records.filters import Condition, known_column
from coldshelf.records.limits import dataset_for, limit_values, not_found
from coldshelf.records.query import Shape, ids_statement, shape_values


async def select_ids(
    connection: Connection,
    principal: Principal,
    dataset: Dataset,
    conditions: Sequence[Condition],
    *,
    with_deleted: bool = False,
) -> list[int]:
    """Give the ids of the active records that the principal sees and that meet all conditions, in order."""
    seen = dataset_for(principal, dataset)
    shape = Shape(
        dataset=seen,
        sort=known_column(seen, seen.key),
        conditions=tuple((known_column(seen, condition.column.wire), condition.operator) for condition in conditions),
        with_deleted=with_deleted,
    )
    values = {**shape_values(conditions), **limit_values(principal)}
    return await store.fetch_ids(connection, ids_statement(shape), values)


async def sees_outlet(connection: Connection, principal: Principal, location_id: int | None) -> bool:
    """Say whether what stands in an outlet, or in none, is in the principal's sight."""
    limit_id = principal.limit.outlets
    if limit_id is None:
        return True
    return location_id is not None and await store.is_granted(connection, principal.client, limit_id, location_id)


async def check_sight(connection: Connection, principal: Principal, dataset: Dataset, row_ids: Collection[int]) -> None:
    """Raise RecordNotFound naming a record that is not in the principal's sight; without a limit all of them are."""
    if not dataset_for(principal, dataset).limited:
        return
    named = Condition(known_column(dataset, dataset.key), "IN", tuple(row_ids))
    found = await select_ids(connection, principal, dataset, [named], with_deleted=True)
    if missing := set(row_ids) - set(found):
        raise not_found(dataset, min(missing))
