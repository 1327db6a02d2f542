"""Plans from which a picture differs in one known way, to measure the comparison with a planogram.

Rows and positions count from 0 and leave gaps and stacked products out, as the published samples have it.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

from coldshelf.pictures.rendering.truth import RenderedScene

Rows = list[list[str]]
"""SKUs, shelves from the top, products from the left."""
Case = dict[str, Any]  # a JSON object of planogram_cases.json
Planter = Callable[[Rows, RenderedScene, Sequence[str], random.Random], list[Case] | None]
"""Changes a plan in place and returns how the picture then differs; None where it cannot."""


def rows_of(scene: RenderedScene) -> Rows:
    """Return what stands on each shelf, empty shelves included."""
    rows: Rows = [[] for _ in scene.shelves]
    for facing in sorted(scene.facings, key=lambda each: (each.shelf, each.position)):
        if facing.stack_index == 0:
            rows[facing.shelf - 1].append(facing.sku)
    return rows


def planted_cases(file: str, scene: RenderedScene, skus: Sequence[str], seed: int) -> list[Case]:
    """Return one case of each kind that the picture allows; `skus` are those that a plan may name."""
    choose = random.Random(seed)  # noqa: S311  # a plan, not a secret
    cases = []
    for name, plant in _PLANTERS.items():
        plan = rows_of(scene)
        deviations = plant(plan, scene, skus, choose)
        if deviations is not None:
            cases.append(
                {
                    "image": file,
                    "case": name,
                    "planogram_rows": plan,
                    "deviations_of_the_picture_from_the_plan": deviations,
                }
            )
    return cases


def _same(_plan: Rows, _scene: RenderedScene, _skus: Sequence[str], _choose: random.Random) -> list[Case]:
    return []


def _swapped(plan: Rows, _scene: RenderedScene, _skus: Sequence[str], choose: random.Random) -> list[Case] | None:
    places = [(row, at) for row, skus in enumerate(plan) for at in range(len(skus) - 1) if skus[at] != skus[at + 1]]
    if not places:
        return None
    row, at = choose.choice(places)
    seen = [plan[row][at], plan[row][at + 1]]
    plan[row][at : at + 2] = reversed(seen)
    return [{"kind": "position", "row": row, "positions": [at, at + 1], "skus": seen}]


def _facing_missing(
    plan: Rows, _scene: RenderedScene, _skus: Sequence[str], choose: random.Random
) -> list[Case] | None:
    place = _any_place(plan, choose)
    if place is None:
        return None
    row, at = place
    sku = plan[row][at]
    plan[row].insert(at, sku)
    return [_missing(plan, row, at)]


def _wrong_sku(plan: Rows, _scene: RenderedScene, skus: Sequence[str], choose: random.Random) -> list[Case] | None:
    place = _any_place(plan, choose)
    others = sorted(set(skus) - {sku for row in plan for sku in row})
    if place is None or not others:
        return None
    row, at = place
    seen, plan[row][at] = plan[row][at], choose.choice(others)
    return [{"kind": "wrong_sku", "row": row, "position": at, "planned": plan[row][at], "seen": seen}]


def _unplanned(plan: Rows, _scene: RenderedScene, _skus: Sequence[str], choose: random.Random) -> list[Case] | None:
    place = _any_place(plan, choose)
    if place is None:
        return None
    row, at = place
    return [{"kind": "extra", "row": row, "position": at, "sku": plan[row].pop(at)}]


def _empty_place(plan: Rows, scene: RenderedScene, skus: Sequence[str], choose: random.Random) -> list[Case] | None:
    """Plan a product where the picture has a gap."""
    others = sorted(set(skus) - {sku for row in plan for sku in row})
    if not scene.gaps or not others:
        return None
    gap = choose.choice(scene.gaps)
    row = gap.shelf - 1
    before = [
        each
        for each in scene.facings
        if each.shelf == gap.shelf and each.stack_index == 0 and each.position < gap.position
    ]
    sku = choose.choice(others)
    plan[row].insert(len(before), sku)
    return [_missing(plan, row, len(before)) | {"gap_position": gap.position}]


def _moved(plan: Rows, _scene: RenderedScene, _skus: Sequence[str], choose: random.Random) -> list[Case] | None:
    """Plan a product on another shelf than where it stands."""
    place = _any_place(plan, choose)
    if place is None or len(plan) < 2:
        return None
    row, at = place
    target = choose.choice([number for number in range(len(plan)) if number != row])
    sku = plan[row].pop(at)
    place_there = choose.randint(0, len(plan[target]))
    plan[target].insert(place_there, sku)
    return [_missing(plan, target, place_there), {"kind": "extra", "row": row, "position": at, "sku": sku}]


def _any_place(plan: Rows, choose: random.Random) -> tuple[int, int] | None:
    places = [(row, at) for row, skus in enumerate(plan) for at in range(len(skus))]
    return choose.choice(places) if places else None


def _missing(plan: Rows, row: int, at: int) -> Case:
    """Say that the picture lacks the product that the plan has at a place."""
    planned = plan[row].count(plan[row][at])
    return {
        "kind": "missing_facing",
        "row": row,
        "position": at,
        "sku": plan[row][at],
        "planned": planned,
        "seen": planned - 1,
    }


_PLANTERS: dict[str, Planter] = {
    "same": _same,
    "swapped": _swapped,
    "one_facing_missing_in_picture": _facing_missing,
    "wrong_sku_in_picture": _wrong_sku,
    "unplanned_product_in_picture": _unplanned,
    "empty_place_in_picture": _empty_place,
    "moved_to_another_shelf_in_picture": _moved,
}
