"""Chooses records by the filters of lists, for what is done with many at once."""

from collections.abc import Sequence

from coldshelf.kit.db import Connection
from coldshelf.records import store
from coldshelf.records.dataset import Dataset
from coldshelf.records.filters import Condition, known_column
from coldshelf.records.query import Shape, ids_statement, shape_values


async def select_ids(connection: Connection, dataset: Dataset, conditions: Sequence[Condition]) -> list[int]:
    """Give the ids of the active records that meet all conditions, in order."""
    shape = Shape(
        dataset=dataset,
        sort=known_column(dataset, dataset.key),
        conditions=tuple((condition.column, condition.operator) for condition in conditions),
    )
    return await store.fetch_ids(connection, ids_statement(shape), shape_values(conditions))
