"""Which records a run has noted in its audit: each once, with what it was before the run."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from coldshelf.records.entity import Entity


@dataclass(slots=True)
class Noted:
    """Ids in order, eight bytes each: a set of a large file's records would take a hundred megabytes."""

    _ids: dict[str, "array[int]"] = field(default_factory=dict)
    _count: int = 0

    def first(self, entity: Entity, rows: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
        """Give number, row and id of those (row, id) that are noted for the first time, and note them."""
        ids = self._ids.get(entity.name, array("q"))
        fresh: dict[int, int] = {}
        for row, row_id in rows:
            if not _holds(ids, row_id):
                fresh.setdefault(row_id, row)
        follow = not ids or not fresh or min(fresh) > ids[-1]
        ids.extend(sorted(fresh))
        if not follow:
            ids = array("q", sorted(ids))
        self._ids[entity.name] = ids
        numbered = enumerate(fresh.items(), self._count + 1)
        self._count += len(fresh)
        return [(number, row, row_id) for number, (row_id, row) in numbered]


def _holds(ids: "array[int]", row_id: int) -> bool:
    place = bisect_left(ids, row_id)
    return place < len(ids) and ids[place] == row_id
