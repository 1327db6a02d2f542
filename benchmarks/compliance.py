"""Planted deviations: found, missed and wrongly found by kind, and what mistakes of a recogniser do to them.

    python benchmarks/compliance.py SAMPLES [--draws 3] [--seed 20260714]

SAMPLES is a folder with `ground_truth.json` and `planogram_cases.json`. What stands in a picture is its labels, never a
recogniser's result, so that the figures are those of the alignment alone. Two sets: the cases of the folder, where the
plan was changed in one known way, and all pictures of the folder with their own rows as the plan, changed here.

Mistakes: of the facings seen some get another name, some are lost, and false ones are put between. A deviation that was
planted counts as found when it is reported with its kind, row and products. Everything else that is reported is
wrongly found: beside it stands how many mistakes were made, since each of them is a deviation of what was seen.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldshelf.compliance.matching import Found, Match, MatchStatus, Planned, match

GAP, UNKNOWN = "_", "?"
Rows = list[list[str]]
Deviation = tuple[str, str, str]
"""Kind, planned product, seen product; either may be empty."""
KINDS = ("missing", "extra", "wrong_product", "moved", "empty")


@dataclass(frozen=True, slots=True)
class Case:
    """A picture's rows of products, its plan, and how the one deviates from the other."""

    kind: str
    seen: Rows
    plan: Rows
    deviations: Counter[Deviation]


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How often a facing gets a wrong name, is lost, or a false one is put behind it."""

    name: str
    wrong: float = 0.0
    lost: float = 0.0
    false: float = 0.0
    unknown: float = 0.0


LEVELS = (
    Mistakes("none"),
    Mistakes("10 % wrong names", wrong=0.10),
    Mistakes("5 % lost", lost=0.05),
    Mistakes("3 % false", false=0.03),
    Mistakes("10 % unknown", unknown=0.10),
    Mistakes("10 % wrong, 5 % lost, 3 % false", wrong=0.10, lost=0.05, false=0.03),
    Mistakes("20 % wrong, 10 % lost, 6 % false", wrong=0.20, lost=0.10, false=0.06),
)


@dataclass(slots=True)
class Tally:
    """Sums over cases, by kind of deviation."""

    planted: Counter[str]
    found: Counter[str]
    wrongly: Counter[str]
    mistakes: int = 0
    places: int = 0
    matched: int = 0
    right: int = 0

    @classmethod
    def empty(cls) -> "Tally":
        return cls(Counter(), Counter(), Counter())


def rows_of(objects: Sequence[dict[str, Any]]) -> Rows:
    """Put labels into rows, as the cases of the folder did."""
    ordered = sorted(objects, key=lambda item: (item["row_auto"], item["pos_auto"]))
    rows: Rows = [[] for _ in range(max(item["row_auto"] for item in ordered) + 1)]
    for item in ordered:
        rows[item["row_auto"]].append(item["sku"])
    return rows


def folder_cases(folder: Path) -> list[Case]:
    pictures = {item["file"]: item for item in json.loads((folder / "ground_truth.json").read_text())["images"]}
    cases = json.loads((folder / "planogram_cases.json").read_text())["cases"]
    return [
        Case(
            case["case"].removesuffix("_in_picture").replace("_", " "),
            rows_of(pictures[case["image"]]["objects"]),
            case["planogram_rows"],
            Counter(_told(case["deviations_of_the_picture_from_the_plan"])),
        )
        for case in cases
    ]


def _told(deviations: Sequence[dict[str, Any]]) -> Iterator[Deviation]:
    for item in deviations:
        if item["kind"] == "position":
            yield from (("moved", sku, sku) for sku in item["skus"])
        elif item["kind"] == "wrong_sku":
            yield "wrong_product", item["planned"], item["seen"]
        elif item["kind"] == "missing_facing":
            yield "missing", item["sku"], ""
        else:
            yield "extra", "", item["sku"]


# Changes that are planted here: each takes (rows, shelf, place) and changes the rows; it gives the deviations.


def sell_out(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    sku, rows[shelf][place] = rows[shelf][place], GAP
    return [("empty", sku, GAP)]


def take_out(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    return [("missing", rows[shelf].pop(place), "")]


def put_in(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    rows[shelf].insert(place, "foreign")
    return [("extra", "", "foreign")]


def replace(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    sku, rows[shelf][place] = rows[shelf][place], "foreign"
    return [("wrong_product", sku, "foreign")]


def hide(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    sku, rows[shelf][place] = rows[shelf][place], UNKNOWN
    return [("wrong_product", sku, UNKNOWN)]


def move(rows: Rows, shelf: int, place: int) -> list[Deviation]:
    sku = rows[shelf].pop(place)
    target = rows[(shelf + 1) % len(rows)]
    target.insert(min(place, len(target)), sku)
    return [("moved", sku, sku)]


def miss_shelf(rows: Rows, shelf: int, _place: int) -> list[Deviation]:
    return [("missing", sku, "") for sku in rows.pop(shelf)]


def double_shelf(rows: Rows, shelf: int, _place: int) -> list[Deviation]:
    rows.insert(shelf, list(rows[shelf]))
    return [("extra", "", sku) for sku in rows[shelf]]


CHANGES: tuple[Callable[[Rows, int, int], list[Deviation]], ...] = (
    sell_out,
    take_out,
    put_in,
    replace,
    hide,
    move,
    miss_shelf,
    double_shelf,
)


def own_cases(folder: Path, seed: int) -> list[Case]:
    """Plant each kind of change in each picture; the picture's own rows are the plan."""
    chance = random.Random(seed)
    cases = []
    for picture in json.loads((folder / "ground_truth.json").read_text())["images"]:
        plan = rows_of(picture["objects"])
        if len(plan) < 2:
            continue
        for change in CHANGES:
            rows = [list(row) for row in plan]
            shelf = chance.randrange(len(rows))
            deviations = change(rows, shelf, chance.randrange(len(rows[shelf])))
            cases.append(Case(change.__name__.replace("_", " "), rows, plan, Counter(deviations)))
    return cases


def err(rows: Rows, mistakes: Mistakes, skus: Sequence[str], chance: random.Random) -> tuple[Rows, int]:
    """Make the mistakes; give the rows as they would be seen, and how many were made."""
    made = 0
    seen: Rows = []
    for row in rows:
        seen.append([])
        for sku in row:
            if chance.random() < mistakes.lost:
                made += 1
                continue
            draw = chance.random()
            if draw < mistakes.wrong:
                seen[-1].append(chance.choice([other for other in skus if other != sku]))
            elif draw < mistakes.wrong + mistakes.unknown:
                seen[-1].append(UNKNOWN)
            else:
                seen[-1].append(sku)
            made += draw < mistakes.wrong + mistakes.unknown
            if chance.random() < mistakes.false:
                seen[-1].append(chance.choice(skus))
                made += 1
    return seen, made


def compare(case: Case, seen: Rows, tally: Tally) -> None:
    skus = sorted({sku for row in (*seen, *case.plan, *case.seen) for sku in row})
    flat = [(shelf, n, sku) for shelf, row in enumerate(seen, 1) for n, sku in enumerate(row, 1)]
    found = [
        Found(key, shelf, n, None if sku in {GAP, UNKNOWN} else skus.index(sku), is_gap=sku == GAP)
        for key, (shelf, n, sku) in enumerate(flat)
    ]
    planned = [
        Planned(shelf, n, skus.index(sku)) for shelf, row in enumerate(case.plan, 1) for n, sku in enumerate(row, 1)
    ]
    matches = match(found, planned)
    reported = Counter(_deviation(item, flat, skus) for item in matches if item.status is not MatchStatus.MATCHED)
    hits = reported & case.deviations
    for kind in KINDS:
        tally.planted[kind] += sum(n for item, n in case.deviations.items() if item[0] == kind)
        tally.found[kind] += sum(n for item, n in hits.items() if item[0] == kind)
        tally.wrongly[kind] += sum(n for item, n in (reported - case.deviations).items() if item[0] == kind)
    tally.places += len(planned)
    tally.matched += sum(item.is_compliant for item in matches)
    tally.right += len(planned) - sum(n for item, n in case.deviations.items() if item[1])


def _deviation(item: Match, flat: Sequence[tuple[int, int, str]], skus: Sequence[str]) -> Deviation:
    planned = skus[item.planned.product_id] if item.planned else ""
    return item.status.value, planned, flat[item.found_key][2] if item.found_key is not None else ""


def measure(cases: Sequence[Case], mistakes: Mistakes, draws: int, seed: int) -> Tally:
    tally = Tally.empty()
    skus = sorted({sku for case in cases for row in case.plan for sku in row})
    exact = not (mistakes.wrong or mistakes.lost or mistakes.false or mistakes.unknown)
    for draw in range(1 if exact else draws):
        chance = random.Random(seed + draw)
        for case in cases:
            seen, made = err(case.seen, mistakes, skus, chance)
            tally.mistakes += made
            compare(case, seen, tally)
    return tally


def show_kinds(title: str, cases: Sequence[Case], draws: int, seed: int) -> None:
    print(f"\n### {title}\n\n| planted | cases | deviations | found | missed | wrongly found |")
    print("| --- | --- | --- | --- | --- | --- |")
    for kind in dict.fromkeys(case.kind for case in cases):
        chosen = [case for case in cases if case.kind == kind]
        tally = measure(chosen, LEVELS[0], draws, seed)
        planted, found = tally.planted.total(), tally.found.total()
        print(f"| {kind} | {len(chosen)} | {planted} | {found} | {planted - found} | {tally.wrongly.total()} |")


def show_levels(title: str, cases: Sequence[Case], draws: int, seed: int) -> None:
    print(f"\n### {title}\n")
    print("| mistakes | " + " | ".join(KINDS) + " | found | wrongly found a mistake | compliance reported | true |")
    print("| --- " * (len(KINDS) + 5) + "|")
    for level in LEVELS:
        tally = measure(cases, level, draws, seed)
        shares = [f"{tally.found[k]}/{tally.planted[k]}" if tally.planted[k] else "" for k in KINDS]
        found = tally.found.total() / tally.planted.total()
        cost = f"{tally.wrongly.total() / tally.mistakes:.2f}" if tally.mistakes else f"{tally.wrongly.total()} in all"
        reported, true = tally.matched / tally.places, tally.right / tally.places
        print(f"| {level.name} | {' | '.join(shares)} | {found:.1%} | {cost} | {reported:.1%} | {true:.1%} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("samples", type=Path, help="folder with ground_truth.json and planogram_cases.json")
    parser.add_argument("--draws", type=int, default=3, help="draws of mistakes for each case")
    parser.add_argument("--seed", type=int, default=20260714)
    options = parser.parse_args()
    sets = {
        "Cases of the folder": folder_cases(options.samples),
        "Changes of our own": own_cases(options.samples, options.seed),
    }
    for title, cases in sets.items():
        show_kinds(f"{title}: what was seen is the truth", cases, options.draws, options.seed)
    for title, cases in sets.items():
        show_levels(f"{title}: with mistakes of a recogniser", cases, options.draws, options.seed)


if __name__ == "__main__":
    main()
