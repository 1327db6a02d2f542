"""Two records of every dataset: one in the first outlet, one in the last."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import asyncpg

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.kit.ids import ClientId
from coldshelf.records.dataset import Dataset
from tests.house.filling import fill, tenant_tables

DATASETS: Mapping[str, Dataset] = {dataset.name: dataset for dataset in registry().listed}


@dataclass(frozen=True)
class Records:
    """The ids of one record of each dataset in the outlet that limited credentials see, and of one beyond."""

    seen: dict[str, int]
    beyond: dict[str, int]


async def fill_pairs(owner: asyncpg.Connection, client_id: ClientId) -> Records:
    tables = await tenant_tables(owner)
    await fill(owner, client_id, tables)
    await fill(owner, client_id, [dataset.relation for dataset in _once(DATASETS.values())])
    ids = {name: await _ends(owner, dataset.relation, client_id) for name, dataset in DATASETS.items()}
    for dataset in _once(DATASETS.values()):
        await _place(owner, client_id, dataset, ids[dataset.name])
    return Records(*({name: pair[n] for name, pair in ids.items()} for n in (0, 1)))


def _once(datasets: Iterable[Dataset]) -> Iterator[Dataset]:
    seen: set[str] = set()
    for dataset in datasets:
        if dataset.relation not in seen:
            seen.add(dataset.relation)
            yield dataset


async def _ends(owner: asyncpg.Connection, relation: str, client_id: ClientId) -> tuple[int, int]:
    (row,) = await owner.fetch(f"SELECT min(id), max(id) FROM {relation} WHERE client_id = $1", client_id)
    return row["min"], row["max"]


async def _place(owner: asyncpg.Connection, client_id: ClientId, dataset: Dataset, ids: tuple[int, int]) -> None:
    """Put the first record of a dataset into the first outlet and the last one into the last outlet."""
    if dataset.location in {None, "id"}:
        return
    via = dataset.location_of
    column, targets = (via.on, via.relation) if via else (dataset.location, "location")
    for row_id, target in zip(ids, await _ends(owner, targets, client_id), strict=True):
        await owner.execute(f"UPDATE {dataset.relation} SET {column} = $2 WHERE id = $1", row_id, target)
