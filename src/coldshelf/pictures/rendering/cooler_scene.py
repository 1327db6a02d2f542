"""Draws a cooler in space and takes a picture of it, with the truth about what the picture shows."""

from dataclasses import dataclass

import cv2
import numpy as np

from coldshelf.pictures.rendering.camera import Homography
from coldshelf.pictures.rendering.cooler import Cooler, CoolerKind
from coldshelf.pictures.rendering.designs import CATALOGUE, ProductDesign
from coldshelf.pictures.rendering.doors import draw_doors
from coldshelf.pictures.rendering.film import Film, expose
from coldshelf.pictures.rendering.furniture import draw_fronts, draw_inside, draw_lamps, draw_outside, light_map
from coldshelf.pictures.rendering.room import draw_room
from coldshelf.pictures.rendering.stage import Owners, Stage
from coldshelf.pictures.rendering.stocking import Standing, Stocker
from coldshelf.pictures.rendering.truth import RenderedScene
from coldshelf.pictures.rendering.viewpoint import Framing, Viewpoint, look
from coldshelf.pictures.rendering.witness import testify


@dataclass(frozen=True, slots=True)
class CoolerSpec:
    """What to draw: a cooler, where the camera stands, how the picture is taken, its size in pixels.

    The seed decides the room, reflections and small displacements, and never what the truth lists.
    """

    cooler: Cooler
    framing: Framing
    film: Film
    size: tuple[int, int] = (416, 416)
    seed: int = 0
    clutter: tuple[ProductDesign, ...] = CATALOGUE
    """Drinks that lie about in the room, out of focus."""


def render_cooler(spec: CoolerSpec) -> RenderedScene:
    """Draw the cooler; the same spec gives the same pixels."""
    view = look(spec.framing, spec.size)
    stage, standing = _draw(spec, view)
    seen, owners = _projected(stage)
    image = expose(seen, spec.film, _rng(spec, 9))
    shelves, facings, gaps = testify(spec.cooler, view, standing, owners)
    return RenderedScene(image, shelves, facings, gaps, view.front_to_picture)


def _draw(spec: CoolerSpec, view: Viewpoint) -> tuple[Stage, list[Standing]]:
    stage, cooler = Stage(view), spec.cooler
    draw_room(stage, spec.clutter, _rng(spec, 1))
    draw_outside(stage, cooler)
    before = stage.pixels.copy()
    draw_inside(stage, cooler)
    standing = Stocker(stage, _rng(spec, 2)).fill(cooler)
    if cooler.kind is not CoolerKind.OPEN_RACK:
        stage.restore_outside(before, (0, 0, cooler.width, cooler.height))
    draw_fronts(stage, cooler, _rng(spec, 3))
    stage.pixels = np.clip(stage.pixels * light_map(stage, cooler, _rng(spec, 4)), 0, 255).astype(np.uint8)
    draw_lamps(stage, cooler)
    draw_doors(stage, cooler, _rng(spec, 5))
    return stage, standing


def _rng(spec: CoolerSpec, purpose: int) -> np.random.Generator:
    """Return a source of its own for each purpose, so that one product more or less changes nothing else."""
    return np.random.default_rng([spec.seed, purpose])


def _projected(stage: Stage) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], Owners]:
    """Turn the canvas into what the aimed camera sees: pixels and owners of the picture."""
    half = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)])
    # Pixel centres lie at half pixels in our coordinates and at whole ones in OpenCV's.
    bend: Homography = np.linalg.inv(half) @ stage.view.to_picture @ half
    size = stage.view.size
    seen = cv2.warpPerspective(stage.pixels, bend, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    owners = cv2.warpPerspective(stage.owners, bend, size, flags=cv2.INTER_NEAREST)
    return np.asarray(seen, dtype=np.uint8), np.asarray(owners, dtype=np.int16)
