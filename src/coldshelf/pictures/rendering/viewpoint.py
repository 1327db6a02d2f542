"""Where the camera stands: everything of a cooler in millimetres, seen in perspective.

x runs right, y down, z into the cooler, from the upper left front corner of its interior. A camera that looks straight
at the front plane (z = 0) draws a thing at depth z smaller by distance / (distance + z) towards its own place; that is
the canvas. Turning the camera round its centre is a homography of the canvas, so the two together are exact.
"""

import math
from dataclasses import dataclass

import numpy as np

from coldshelf.pictures.rendering.camera import Homography
from coldshelf.pictures.rendering.paint import Box

_MOST_CANVAS = 3.0  # pixels of the canvas over pixels of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Viewpoint:
    """A camera `distance` mm before the front plane at (x, y) = `eye`, its canvas and its picture.

    The canvas shows the front plane from `origin` (mm) at `scale` pixels a millimetre; `to_picture` maps pixels of the
    canvas to pixels of the picture.
    """

    eye: tuple[float, float]
    distance: float
    origin: tuple[float, float]
    scale: float
    canvas_size: tuple[int, int]
    size: tuple[int, int]
    to_picture: Homography

    def scale_at(self, z: float) -> float:
        """Return pixels a millimetre at a depth."""
        return self.scale * self.distance / max(self.distance + z, 0.05 * self.distance)

    def at(self, x: float, y: float, z: float = 0.0) -> tuple[float, float]:
        """Return the canvas pixel of a place."""
        shrunk = self.scale_at(z)
        return (
            (self.eye[0] - self.origin[0]) * self.scale + (x - self.eye[0]) * shrunk,
            (self.eye[1] - self.origin[1]) * self.scale + (y - self.eye[1]) * shrunk,
        )

    @property
    def front_to_picture(self) -> Homography:
        """Return the homography from millimetres of the front plane to pixels of the picture."""
        left, top = self.origin
        to_canvas = np.array([(self.scale, 0, -left * self.scale), (0, self.scale, -top * self.scale), (0, 0, 1)])
        return np.asarray(self.to_picture @ to_canvas, dtype=np.float64)

    def steepness(self, y: float, z: float) -> float:
        """Return by how much the camera looks down on a thing (above 0) or up at it, as a slope."""
        return (y - self.eye[1]) / (self.distance + z)


@dataclass(frozen=True, slots=True)
class Framing:
    """What a camera is pointed at: `frame` of the front plane fits into the picture.

    `aspect` is width over height of the photograph before it is stretched to the picture's size.
    """

    eye: tuple[float, float]
    distance: float
    frame: Box
    roll_degrees: float = 0.0
    aspect: float = 0.75


def look(framing: Framing, size: tuple[int, int], *, sharpness: float = 1.1) -> Viewpoint:
    """Aim a camera; `size` is the picture's in pixels, `sharpness` the canvas's pixels over the picture's."""
    width, height = size
    to_rays = _turned(framing)
    spread = _fits(framing, to_rays)
    lens = _lens(framing, spread, width=width, height=height)
    from_front = lens @ to_rays  # (x - eye, y - eye, distance) in mm to pixels of the picture
    left, top, right, bottom = _seen_front(framing, from_front, width=width, height=height)
    scale = sharpness * _pixels_per_mm(framing, from_front)
    scale *= min(1.0, math.sqrt(_MOST_CANVAS * width * height / ((right - left) * (bottom - top))) / scale)
    to_mm = np.array(
        [
            (1 / scale, 0, left - framing.eye[0]),
            (0, 1 / scale, top - framing.eye[1]),
            (0, 0, framing.distance),
        ]
    )
    canvas_size = (max(round((right - left) * scale), 8), max(round((bottom - top) * scale), 8))
    to_picture = from_front @ to_mm
    return Viewpoint(
        framing.eye, framing.distance, (left, top), scale, canvas_size, size, to_picture / to_picture[2, 2]
    )


def _turned(framing: Framing) -> Homography:
    """Return the rotation from straight ahead to the middle of the frame, with roll."""
    left, top, right, bottom = framing.frame
    ahead = np.array(
        [(left + right) / 2 - framing.eye[0], (top + bottom) / 2 - framing.eye[1], framing.distance], dtype=np.float64
    )
    ahead /= np.linalg.norm(ahead)
    sideways = np.cross((0.0, 1.0, 0.0), ahead)
    sideways /= np.linalg.norm(sideways)
    turn = np.array([sideways, np.cross(ahead, sideways), ahead])
    cos, sin = math.cos(math.radians(framing.roll_degrees)), math.sin(math.radians(framing.roll_degrees))
    return np.asarray(np.array([(cos, -sin, 0), (sin, cos, 0), (0, 0, 1)]) @ turn, dtype=np.float64)


def _fits(framing: Framing, to_rays: Homography) -> Box:
    """Return the frame's extent in units of the focal length."""
    left, top, right, bottom = framing.frame
    corners = np.array([(x, y, 0.0) for x in (left, right) for y in (top, bottom)])
    rays = (corners - (*framing.eye, -framing.distance)) @ to_rays.T
    across, down = rays[:, 0] / rays[:, 2], rays[:, 1] / rays[:, 2]
    return float(across.min()), float(down.min()), float(across.max()), float(down.max())


def _lens(framing: Framing, spread: Box, *, width: int, height: int) -> Homography:
    left, top, right, bottom = spread
    focal = min(framing.aspect / (right - left), 1 / (bottom - top))
    focal_x, focal_y = focal * width / framing.aspect, focal * height
    return np.array(
        [
            (focal_x, 0, width / 2 - focal_x * (left + right) / 2),
            (0, focal_y, height / 2 - focal_y * (top + bottom) / 2),
            (0, 0, 1),
        ]
    )


def _seen_front(framing: Framing, from_front: Homography, *, width: int, height: int) -> Box:
    """Return the part of the front plane that the picture shows, in mm, at most three frames wide and high."""
    pixels = np.array([(0, 0, 1), (width, 0, 1), (width, height, 1), (0, height, 1)], dtype=np.float64)
    rays = pixels @ np.linalg.inv(from_front).T
    depth = np.maximum(rays[:, 2], 1e-6)
    x, y = (framing.eye[axis] + rays[:, axis] / depth * framing.distance for axis in (0, 1))
    left, top, right, bottom = framing.frame
    return (
        max(float(x.min()), left - (right - left)),
        max(float(y.min()), top - (bottom - top)),
        min(float(x.max()), right + (right - left)),
        min(float(y.max()), bottom + (bottom - top)),
    )


def _pixels_per_mm(framing: Framing, from_front: Homography) -> float:
    """Return the geometric mean of the picture's scales across and down in the middle of the frame."""
    left, top, right, bottom = framing.frame
    x, y = (left + right) / 2 - framing.eye[0], (top + bottom) / 2 - framing.eye[1]
    places = np.array([(x, y), (x + 1, y), (x, y + 1)])
    seen = np.column_stack([places, np.full(3, framing.distance)]) @ from_front.T
    middle, across, down = seen[:, :2] / seen[:, 2:]
    return float(math.sqrt(np.linalg.norm(across - middle) * np.linalg.norm(down - middle)))
