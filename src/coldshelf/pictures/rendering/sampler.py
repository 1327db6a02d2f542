"""Varied coolers by chance, for training, evaluation and tests: the same seed gives the same ones."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from coldshelf.pictures.rendering.cooler import Column, Cooler, CoolerKind, Look, StockedShelf
from coldshelf.pictures.rendering.cooler_scene import CoolerSpec, render_cooler
from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.film import Film
from coldshelf.pictures.rendering.generator import generate_designs
from coldshelf.pictures.rendering.paint import Colour
from coldshelf.pictures.rendering.truth import RenderedScene
from coldshelf.pictures.rendering.viewpoint import Framing

_KINDS = (
    (CoolerKind.OPEN_DOOR, 0.44),
    (CoolerKind.SHELF, 0.18),
    (CoolerKind.GLASS_DOOR, 0.18),
    (CoolerKind.OPEN_RACK, 0.16),
    (CoolerKind.MULTI_DOOR, 0.04),
)
_ASSORTMENT = 16  # designs in one cooler at most


def random_scenes(
    seed: int,
    count: int,
    *,
    designs: Sequence[ProductDesign] | None = None,
    size: tuple[int, int] = (416, 416),
    kind: CoolerKind | None = None,
    stretched: bool = True,
) -> Iterator[RenderedScene]:
    """Yield `count` pictures of varied coolers with their truth, one at a time.

    Each picture depends on seed and number only, so a part of them can be drawn anywhere. Without designs 400
    generated ones are used; `size` is (width, height) in pixels, and `stretched` says whether photographs of other
    proportions are pressed into it, as sets of pictures for training often are.
    """
    known = tuple(designs) if designs is not None else generate_designs(400)
    for number in range(count):
        yield render_cooler(random_spec(seed, number, known, size=size, kind=kind, stretched=stretched))


def random_spec(
    seed: int,
    number: int,
    designs: Sequence[ProductDesign],
    *,
    size: tuple[int, int] = (416, 416),
    kind: CoolerKind | None = None,
    stretched: bool = True,
) -> CoolerSpec:
    """Choose cooler, stock, camera and light of one picture."""
    rng = np.random.default_rng([seed, number])
    chosen = kind or _KINDS[int(rng.choice(len(_KINDS), p=[share for _, share in _KINDS]))][0]
    assortment = _assortment(rng, designs)
    cooler = _cooler(rng, chosen, assortment)
    framing = _framing(rng, cooler)
    return CoolerSpec(
        cooler=cooler,
        framing=framing if stretched else replace(framing, aspect=size[0] / size[1]),
        film=_film(rng, size),
        size=size,
        seed=int(rng.integers(1 << 30)),
        clutter=tuple(designs[int(index)] for index in rng.integers(0, len(designs), 4)),
    )


def _assortment(rng: np.random.Generator, designs: Sequence[ProductDesign]) -> list[ProductDesign]:
    """Choose what a cooler sells: mostly neighbours in the list, so that flavours and twins stand together."""
    chosen: dict[str, ProductDesign] = {}
    while len(chosen) < min(_ASSORTMENT, len(designs)):
        start = int(rng.integers(len(designs)))
        for design in designs[start : start + int(rng.integers(1, 7))]:
            chosen[design.sku] = design
    return list(chosen.values())


def _cooler(rng: np.random.Generator, kind: CoolerKind, assortment: list[ProductDesign]) -> Cooler:
    doors = int(rng.choice([2, 2, 3])) if kind is CoolerKind.MULTI_DOOR else 1
    width = float(rng.uniform(430, 780)) * (0.92 * doors)
    look = _look(rng, kind)
    depth = float(rng.uniform(300, 520))
    count = int(rng.choice([2, 3, 4, 5, 6, 7, 8], p=[0.07, 0.22, 0.42, 0.19, 0.06, 0.02, 0.02]))
    ceiling = float(rng.uniform(0, 120)) if look.has_fan else 0.0
    shelves = []
    for _ in range(count):
        shelf = _shelf(rng, assortment, width=width, depth=depth, ceiling=ceiling)
        shelves.append(shelf)
        ceiling = shelf.foot + max(look.strip_height, 9.0)
    return Cooler(kind, width, ceiling + float(rng.uniform(0, 90)), depth, tuple(shelves), look, doors)


def _shelf(
    rng: np.random.Generator, assortment: list[ProductDesign], *, width: float, depth: float, ceiling: float
) -> StockedShelf:
    """Stock a shelf with runs of products of about one height."""
    lead = assortment[int(rng.integers(len(assortment)))].form.height_mm
    alike = [each for each in assortment if abs(each.form.height_mm - lead) < 0.22 * lead]
    fitting = alike if rng.random() < 0.8 else [each for each in assortment if each.form.height_mm < 1.25 * lead]
    is_empty = rng.random() < 0.03
    columns = _columns(rng, fitting, width=width, depth=depth, is_empty=is_empty)
    tallest = max((_height(each) for each in columns), default=lead)
    room = float(rng.uniform(1.04, 1.25) if rng.random() < 0.5 else rng.uniform(1.2, 1.9))
    return StockedShelf(ceiling + tallest * room, ceiling, tuple(columns))


def _height(column: Column) -> float:
    return column.design.form.height_mm * column.stack if column.design else 120.0


def _columns(
    rng: np.random.Generator, fitting: list[ProductDesign], *, width: float, depth: float, is_empty: bool
) -> list[Column]:
    spacing = float(rng.uniform(1.0, 1.08)) + (float(rng.uniform(0, 0.35)) if rng.random() < 0.15 else 0.0)
    gap_share = float(rng.choice([0.0, 0.0, 0.05, 0.2]))
    ordinary_turn = float(rng.normal(0, 0.12))
    columns: list[Column] = []
    edge = float(rng.uniform(4, 30))
    while True:
        design = fitting[int(rng.integers(len(fitting)))]
        run = _run(rng, design, depth=depth, turn=ordinary_turn)
        for _ in range(int(rng.choice([1, 2, 3, 4, 5, 6], p=[0.2, 0.28, 0.2, 0.16, 0.08, 0.08]))):
            wide = design.form.width_mm * spacing
            if edge + wide > width - 4:
                return _spread(rng, columns, free=width - 4 - edge)
            is_gap = is_empty or rng.random() < gap_share
            turn = (
                run.turn + float(rng.normal(0, 0.2)) + (float(rng.uniform(-1.4, 1.4)) if rng.random() < 0.12 else 0.0)
            )
            columns.append(replace(run, x=edge + wide / 2, width=wide, design=None if is_gap else design, turn=turn))
            edge += wide


def _run(rng: np.random.Generator, design: ProductDesign, *, depth: float, turn: float) -> Column:
    """Choose what a run of like facings shares: stacking, how far back it stands, how deep it is filled."""
    is_low = design.form.height_mm < 160
    fits = max(int(depth / design.form.width_mm / 1.04), 1)
    stack = int(rng.choice([2, 2, 3])) if is_low and rng.random() < 0.07 else 1
    set_back = int(rng.choice([1, 1, 2, 3])) if rng.random() < 0.1 else 0
    return Column(
        x=0,
        width=0,
        design=design,
        stack=stack,
        set_back=min(set_back, fits - 1),
        deep=int(rng.integers(1, 6)),
        turn=turn,
    )


def _spread(rng: np.random.Generator, columns: list[Column], *, free: float) -> list[Column]:
    """Leave what is left of the width at the right, at both sides, or between the products."""
    choice = rng.random()
    if choice < 0.4 or not columns:
        step, start = free / max(len(columns), 1), 0.0
    else:
        step, start = 0.0, free / 2 if choice < 0.7 else 0.0
    return [replace(each, x=each.x + start + step * (index + 0.5)) for index, each in enumerate(columns)]


def _look(rng: np.random.Generator, kind: CoolerKind) -> Look:
    body = _body_colour(rng)
    is_light = sum(body) > 420
    grey = int(rng.integers(110, 246)) if rng.random() < 0.75 else int(rng.integers(40, 110))
    has_strip = rng.random() < 0.7
    strip = body if rng.random() < 0.6 else _body_colour(rng)
    lamps = [(True, True), (False, True), (True, False), (False, False)][int(rng.choice(4, p=[0.3, 0.3, 0.1, 0.3]))]
    return Look(
        word=str(rng.choice(["Boreal", "Fjelda", "Lumen", "Northpier", "Kwikra", "Teavolo", "Ombrosa", "Mirwa"])),
        body=body,
        ink=(20, 40, 110) if is_light else (248, 248, 248),
        strip=strip,
        wall=(grey, min(grey + int(rng.integers(0, 8)), 255), min(grey + int(rng.integers(0, 16)), 255)),
        strip_height=float(rng.uniform(24, 42)) if has_strip else 8.0,
        is_fenced=bool(rng.random() < 0.35),
        has_tags=bool(rng.random() < 0.25),
        header=float(rng.uniform(90, 240)) if kind is not CoolerKind.SHELF else float(rng.uniform(0, 60)),
        frame=float(rng.uniform(25, 70)),
        base=float(rng.uniform(20, 260)),
        lamps=lamps,
        has_dotted_lamps=bool(rng.random() < 0.5),
        has_fan=bool(rng.random() < 0.35),
        door_side=1 if rng.random() < 0.75 else -1,
    )


def _body_colour(rng: np.random.Generator) -> Colour:
    palette = ((14, 40, 150), (10, 60, 170), (30, 34, 60), (24, 26, 30), (232, 234, 236), (190, 30, 40), (20, 110, 60))
    red, green, blue = palette[int(rng.choice(7, p=[0.3, 0.16, 0.1, 0.1, 0.18, 0.1, 0.06]))]
    red, green, blue = (int(np.clip(part + rng.integers(-14, 15), 0, 255)) for part in (red, green, blue))
    return red, green, blue


def _framing(rng: np.random.Generator, cooler: Cooler) -> Framing:
    """Stand before the cooler as people do: at eye height, a little aside, all of it or a part in the picture."""
    left, top, right, bottom = cooler.outline
    whole = rng.random() < 0.3 and cooler.kind is not CoolerKind.SHELF
    inner = (-20.0, -20.0, cooler.width + 20, cooler.height + 20)
    frame = (left, top, right, bottom) if whole else inner
    wide, high = frame[2] - frame[0], frame[3] - frame[1]
    cut = rng.uniform(-0.06, 0.06, 4) if rng.random() < 0.7 else rng.uniform(0.0, 0.22, 4)
    frame = (
        frame[0] + cut[0] * wide,
        frame[1] + cut[1] * high,
        frame[2] - cut[2] * wide,
        frame[3] - cut[3] * high,
    )
    distance = float(rng.uniform(0.9, 1.8) * max(wide, 0.8 * high))
    eye = (
        float(cooler.width / 2 + rng.normal(0, 0.22) * distance),
        float(np.clip(rng.normal(0.3, 0.25), -0.3, 0.9) * cooler.height),
    )
    return Framing(
        eye=eye,
        distance=distance,
        frame=frame,
        roll_degrees=float(rng.normal(0, 2.2)),
        aspect=float(np.clip(wide / high * rng.uniform(0.95, 1.8), 0.5, 1.5)),
    )


def _film(rng: np.random.Generator, size: tuple[int, int]) -> Film:
    unit = min(size) / 416  # blur grows with the picture
    mood = rng.random()
    exposure, gamma = float(rng.uniform(0.82, 1.2)), float(rng.uniform(0.75, 1.1))
    if mood < 0.09:
        exposure = float(rng.uniform(0.35, 0.7))
    elif mood < 0.2:
        exposure = float(rng.uniform(1.25, 1.8))
    warm = float(rng.normal(0, 0.07))
    return Film(
        exposure=exposure,
        gamma=gamma,
        tint=(1 + warm, float(1 + rng.normal(0, 0.025)), 1 - warm),
        saturation=float(rng.uniform(0.75, 1.55)),
        glare=float(rng.uniform(0.1, 0.9)) if rng.random() < 0.6 else 0.0,
        haze=float(rng.uniform(0.1, 0.55)) if rng.random() < 0.22 else 0.0,
        vignette=float(rng.uniform(0, 0.45)),
        softness=float(rng.uniform(0.0, 0.8)) * unit,
        motion=float(rng.uniform(1.5, 4.5)) * unit if rng.random() < 0.1 else 0.0,
        motion_degrees=float(rng.uniform(0, 180)),
        noise=float(rng.gamma(2, 1.1)),
        detail=float(rng.uniform(0.55, 1.0)) if rng.random() < 0.3 else 1.0,
        sharpening=float(rng.uniform(0.2, 1.3)) if rng.random() < 0.7 else 0.0,
        jpeg_quality=int(rng.integers(40, 95)),
    )
