"""Puts the products into a cooler's shelves, farthest first, and notes which pixels the front row owns."""

from dataclasses import dataclass, replace

import numpy as np

from coldshelf.pictures.rendering.cooler import Column, Cooler, StockedShelf
from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Box, Pixels, resized
from coldshelf.pictures.rendering.products import LID_TILT, View, render_view
from coldshelf.pictures.rendering.stage import Stage

_DRAWN_DEPTH = 4  # products behind each other that are drawn; more are hidden
_STACK_STEP = 0.985  # of a package's height: its foot stands in the rim of the one below
_TURN_STEP = 0.25  # radians to which turns are rounded, so that sprites can be used again


@dataclass(frozen=True, slots=True)
class Standing:
    """A front-row product as it was drawn: `box` and `pixels` on the canvas, hidden parts included."""

    shelf: int
    column: int
    stack_index: int
    owner: int
    box: Box
    pixels: int


@dataclass(frozen=True, slots=True)
class _Package:
    """One package in space: the middle of its foot, and whether it is in the front row."""

    column: int
    design: ProductDesign
    x: float
    foot: float
    z: float
    turn: float
    stack_index: int
    is_front: bool
    light: float


class Stocker:
    """Draws packages on a stage; like ones share a sprite."""

    def __init__(self, stage: Stage, rng: np.random.Generator) -> None:
        self._stage = stage
        self._rng = rng
        self._dim = float(rng.uniform(0.68, 0.92))
        self._known: dict[tuple[str, float, int], Pixels] = {}
        self._standing: list[Standing] = []

    def fill(self, cooler: Cooler) -> list[Standing]:
        """Draw all shelves; return the front row."""
        for number, shelf in enumerate(cooler.shelves):
            packages = [
                package
                for index, column in enumerate(shelf.columns)
                if column.design is not None
                for package in self._packages(index, column, column.design, shelf=shelf, depth=cooler.depth)
            ]
            for package in sorted(packages, key=lambda each: (-each.z, each.stack_index)):
                self._stand(package, shelf, number)
        return self._standing

    def _packages(
        self, index: int, column: Column, design: ProductDesign, *, shelf: StockedShelf, depth: float
    ) -> list[_Package]:
        pitch = design.form.width_mm * 1.04
        fits = max(int(depth / pitch), 1)
        first = min(column.set_back, fits - 1)
        last = min(first + column.deep, fits, first + _DRAWN_DEPTH)
        packages = []
        for place in range(first, max(last, first + 1)):
            x, z = self._rng.normal(0, 0.02, 2) * design.form.width_mm
            package = _Package(
                column=index,
                design=design,
                x=column.x + float(x),
                foot=shelf.foot,
                z=(place + 0.5) * pitch + float(abs(z)),
                turn=column.turn + float(self._rng.normal(0, 0.15)),
                stack_index=0,
                is_front=place == first,
                light=float(self._dim**place * self._rng.uniform(0.94, 1.05)),
            )
            packages += _stacked(package, column.stack if place - first < 2 else 1)
        return packages

    def _stand(self, package: _Package, shelf: StockedShelf, number: int) -> None:
        view, form = self._stage.view, package.design.form
        scale = view.scale_at(package.z)
        steepness = view.steepness(package.foot - form.height_mm / 2, package.z)
        rim = 0.0 if form.is_box else min(abs(steepness), 0.6) * form.width_mm / 2
        height, width = max(round((form.height_mm + 2 * rim) * scale), 3), max(round(form.width_mm * scale), 2)
        tilt = np.sign(steepness) * rim / (form.height_mm + 2 * rim) / LID_TILT
        sprite = self._sprite(package, width=width, height=height, elevation=float(tilt))
        x, foot = view.at(package.x, package.foot, package.z)
        left, top = round(x - width / 2), round(foot + rim * scale) - height
        rows = self._rows(shelf)
        owner = None
        if package.is_front:
            owner = len(self._standing) + 1
            box = (float(left), float(top), float(left + width), float(top + height))
            pixels = int(np.count_nonzero(sprite[..., 3] > 127))
            self._standing.append(Standing(number, package.column, package.stack_index, owner, box, pixels))
        self._stage.paste(sprite, left=left, top=top, owner=owner or 0, light=package.light, rows=rows)

    def _rows(self, shelf: StockedShelf) -> slice:
        """Return the canvas rows between the boards: what would show beyond them is hidden by them."""
        view = self._stage.view
        return slice(round(view.at(0, shelf.ceiling)[1]), round(view.at(0, shelf.foot)[1]) + 1)

    def _sprite(self, package: _Package, *, width: int, height: int, elevation: float) -> Pixels:
        """Return the package's picture, drawn once for the front edge and made smaller for places behind."""
        stage, form = self._stage.view, package.design.form
        turn = package.turn
        if form.is_box:  # which side shows depends on where the camera is
            turn = 0.6 * (stage.eye[0] - package.x) / (stage.distance + package.z)
        steps = round(turn / _TURN_STEP)
        key = (package.design.sku, package.foot, steps)
        if key not in self._known:
            nearness = stage.scale / stage.scale_at(package.z)
            self._known[key] = render_view(
                package.design,
                height_px=round(height * nearness),
                width_px=round(width * nearness),
                view=View(turn=steps * _TURN_STEP, elevation=elevation),
            )
        known = self._known[key]
        return known if known.shape[:2] == (height, width) else resized(known, width=width, height=height)


def _stacked(package: _Package, count: int) -> list[_Package]:
    step = package.design.form.height_mm * _STACK_STEP
    return [replace(package, stack_index=level, foot=package.foot - level * step) for level in range(count)]
