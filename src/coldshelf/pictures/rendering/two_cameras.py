"""One cooler seen by two cameras that overlap, as coolers with cameras of their own have them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from coldshelf.pictures.rendering.camera import Homography
from coldshelf.pictures.rendering.cooler import CoolerKind
from coldshelf.pictures.rendering.cooler_scene import CoolerSpec, render_cooler
from coldshelf.pictures.rendering.designs import ProductDesign
from coldshelf.pictures.rendering.paint import Box
from coldshelf.pictures.rendering.sampler import random_spec
from coldshelf.pictures.rendering.truth import RenderedScene
from coldshelf.pictures.rendering.viewpoint import Framing

_WHOLE = 1.6  # width of the whole picture over that of one camera
_BASELINE = 0.12  # most distance between the cameras, as a share of the cooler's width
_LEAST_DISTANCE = 0.7  # of a camera, as a share of the cooler's width


@dataclass(frozen=True, slots=True, eq=False)
class TwoCameraScene:
    """A cooler in one picture and in two overlapping ones; `number` of a facing is the same in all three."""

    whole: RenderedScene
    cam1: RenderedScene
    cam2: RenderedScene

    @property
    def cam1_to_whole(self) -> Homography:
        """Return the homography between the pictures' pixels, exact for the plane of the shelves' front edges."""
        return _between(self.cam1, self.whole)

    @property
    def cam2_to_whole(self) -> Homography:
        """Return the homography between the pictures' pixels, exact for the plane of the shelves' front edges."""
        return _between(self.cam2, self.whole)


def two_camera_scene(
    seed: int, number: int, designs: Sequence[ProductDesign], *, size: tuple[int, int] = (720, 960)
) -> TwoCameraScene:
    """Draw a wide cooler from the left, from the right and whole; `size` is that of each camera's picture."""
    rng = np.random.default_rng([seed, number, 2])
    spec = random_spec(seed, number, designs, size=size, kind=CoolerKind.MULTI_DOOR, stretched=False)
    inside = replace(spec.cooler, kind=CoolerKind.SHELF, doors=1)
    spec = replace(spec, cooler=inside, film=replace(spec.film, haze=0.0, motion=0.0))
    half = inside.width * (1 + float(rng.uniform(0.2, 0.4))) / 2
    bottom = min(inside.height + 20, half * size[1] / size[0])  # shelves below do not fit into the pictures
    apart = float(rng.uniform(0, _BASELINE)) * inside.width
    cam1, cam2 = (_other_exposure(spec, rng) for _ in range(2))
    return TwoCameraScene(
        whole=_drawn(spec, (-20, -20, inside.width + 20, bottom), shift=0, size=(round(_WHOLE * size[0]), size[1])),
        cam1=_drawn(cam1, (-20, -20, half, bottom), shift=-apart / 2, size=size),
        cam2=_drawn(cam2, (inside.width - half, -20, inside.width + 20, bottom), shift=apart / 2, size=size),
    )


def _drawn(spec: CoolerSpec, frame: Box, *, shift: float, size: tuple[int, int]) -> RenderedScene:
    """Draw what a camera sees that stands before the cooler's middle, shifted in mm, and points at a frame."""
    width = spec.cooler.width
    framing = Framing(
        eye=(width / 2 + shift, (frame[1] + frame[3]) / 2),
        distance=max(_LEAST_DISTANCE * width, 0.8 * (frame[3] - frame[1])),
        frame=frame,
        roll_degrees=spec.framing.roll_degrees,
        aspect=size[0] / size[1],
    )
    return render_cooler(replace(spec, framing=framing, size=size))


def _other_exposure(spec: CoolerSpec, rng: np.random.Generator) -> CoolerSpec:
    return replace(spec, film=replace(spec.film, exposure=spec.film.exposure * float(rng.uniform(0.88, 1.12))))


def _between(one: RenderedScene, other: RenderedScene) -> Homography:
    bend = other.front_to_picture @ np.linalg.inv(one.front_to_picture)
    return np.asarray(bend / bend[2, 2], dtype=np.float64)
