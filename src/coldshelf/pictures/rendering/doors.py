"""Draws doors: closed glass with reflections, frames and handles, or an open door at the side."""

import cv2
import numpy as np

from coldshelf.pictures.rendering.cooler import Cooler, CoolerKind
from coldshelf.pictures.rendering.paint import Colour, Floats, resized, tinted
from coldshelf.pictures.rendering.stage import Stage

_FRAME_Z = -25.0
_FRAME_HALF = 34.0  # mm: half the width of the frame between two doors


def draw_doors(stage: Stage, cooler: Cooler, rng: np.random.Generator) -> None:
    """Draw the doors that the kind of cooler has, in front of everything else."""
    if cooler.kind is CoolerKind.OPEN_DOOR:
        _draw_open_door(stage, cooler, rng)
    if cooler.kind in {CoolerKind.GLASS_DOOR, CoolerKind.MULTI_DOOR}:
        _draw_glass(stage, cooler, rng)
        _draw_frames(stage, cooler)


def _draw_frames(stage: Stage, cooler: Cooler) -> None:
    look, frame = cooler.look, min(cooler.look.frame, 60.0)
    colour: Colour = (44, 46, 50) if sum(look.body) < 420 else (190, 192, 196)
    w, h = cooler.width, cooler.height
    edges = [(-frame, -frame, 0.0, h + frame), (w, -frame, w + frame, h + frame)]
    edges += [(-frame, -frame, w + frame, 0.0), (-frame, h, w + frame, h + frame)]
    edges += [(x - _FRAME_HALF, -frame, x + _FRAME_HALF, h + frame) for x in cooler.frame_middles]
    for edge in edges:
        stage.bar(edge, colour, z=_FRAME_Z)
    for x in cooler.frame_middles:
        stage.bar((x - 2, -frame, x + 2, h + frame), tinted(colour, 0.4), z=_FRAME_Z)
    _draw_handles(stage, cooler)


def _draw_handles(stage: Stage, cooler: Cooler) -> None:
    middle, reach = cooler.height / 2, min(260.0, 0.25 * cooler.height)
    for number in range(cooler.doors):
        side = cooler.look.door_side if cooler.doors == 1 else (1 if number % 2 == 0 else -1)
        edge = cooler.width * (number + (1 if side > 0 else 0)) / cooler.doors
        x = edge - side * (2 * _FRAME_HALF if 0 < edge < cooler.width else 6)
        stage.bar((x - 9, middle - reach, x + 9, middle + reach), (150, 154, 158), z=-60)
        stage.bar((x - 5, middle - reach, x - 1, middle + reach), (222, 226, 230), z=-60, hides=False)


def _draw_glass(stage: Stage, cooler: Cooler, rng: np.random.Generator) -> None:
    """Mirror the room in the glass: blurred things, a streak of light, lamps, mist at the bottom."""
    height, width = stage.pixels.shape[:2]
    coarse = rng.uniform(0, 1, (6, 5, 3)).astype(np.float32) ** 2 * np.float32(rng.uniform(60, 255))
    mirrored = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    share = np.full((height, width), rng.uniform(0.02, 0.2), dtype=np.float32)
    for _ in range(int(rng.integers(0, 4))):
        slope, place, wide = rng.uniform(-0.8, 0.8), rng.uniform(-0.1, 1.1), rng.uniform(0.01, 0.12)
        streak = np.abs(x - place - slope * (y - 0.5)) < wide
        share += np.where(streak, np.float32(rng.uniform(0.03, 0.22)), np.float32(0))
    mist = rng.uniform(0, 0.25) if rng.random() < 0.3 else 0.0
    share += np.float32(mist) * y**2
    lamps = _mirrored_lamps(height, width, rng)
    inside = _inside(stage, cooler)
    stage.glaze(np.maximum(mirrored + 110 * lamps, 255 * lamps), np.clip(share[..., None] + lamps, 0, 0.9) * inside)


def _mirrored_lamps(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Draw up to three lamps or windows as the glass mirrors them, (height, width, 1) from 0 to 1."""
    spots = np.zeros((height, width), dtype=np.float32)
    for _ in range(int(rng.integers(0, 4))):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        wide, high = int(rng.integers(3, max(width // 6, 4))), int(rng.integers(2, max(height // 14, 3)))
        cv2.rectangle(spots, (x, y), (x + wide, y + high), float(rng.uniform(0.2, 0.75)), -1)
    soft = np.asarray(cv2.GaussianBlur(spots, (0, 0), max(0.006 * width, 0.8)), dtype=np.float32)
    return soft[..., None]


def _inside(stage: Stage, cooler: Cooler) -> Floats:
    height, width = stage.pixels.shape[:2]
    mask = np.zeros((height, width, 1), dtype=np.float32)
    (x0, y0), (x1, y1) = stage.view.at(0, 0), stage.view.at(cooler.width, cooler.height)
    mask[max(round(y0), 0) : max(round(y1), 0), max(round(x0), 0) : max(round(x1), 0)] = 1
    return mask


def _draw_open_door(stage: Stage, cooler: Cooler, rng: np.random.Generator) -> None:
    """Draw the door that stands open towards the camera; its glass may mirror the products."""
    side = cooler.look.door_side
    hinge = cooler.width + 0.6 * cooler.look.frame if side > 0 else -0.6 * cooler.look.frame
    angle = rng.uniform(0.15, 1.2)  # radians from straight ahead outwards
    reach = min(cooler.width, 0.5 * stage.view.distance)
    free = hinge + side * reach * np.sin(angle)
    z = -float(min(reach * np.cos(angle), 0.55 * stage.view.distance))
    top, bottom = -0.4 * cooler.look.frame, cooler.height + 0.4 * cooler.look.frame
    quad = [(hinge, top, 0.0), (free, top, z), (free, bottom, z), (hinge, bottom, 0.0)]
    before = stage.pixels.copy()
    tint = float(rng.uniform(0.15, 1.0))
    stage.polygon(quad, (round(170 * tint), round(178 * tint), round(184 * tint)), hides=True)
    _mirror_in(stage, before, cooler, quad, strength=float(rng.uniform(0.0, 0.6)))
    edge = tinted(cooler.look.body, 0.8)
    for start, end in zip(quad, [*quad[1:], quad[0]], strict=True):
        stage.line(start, end, edge, thick_mm=26)


def _mirror_in(
    stage: Stage,
    before: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    cooler: Cooler,
    quad: list[tuple[float, float, float]],
    *,
    strength: float,
) -> None:
    """Mix the blurred mirror image of the interior into the door's glass."""
    (x0, y0), (x1, y1) = stage.view.at(0, 0), stage.view.at(cooler.width, cooler.height)
    part = before[max(round(y0), 0) : max(round(y1), 1), max(round(x0), 0) : max(round(x1), 1)]
    if min(part.shape[:2]) < 8 or strength < 0.1:
        return
    small = resized(part, width=64, height=96)
    source = np.array([(0, 0), (64, 0), (64, 96), (0, 96)], dtype=np.float32)
    target = np.array([stage.view.at(*place) for place in quad], dtype=np.float32)
    bend = cv2.getPerspectiveTransform(source, target)
    height, width = stage.pixels.shape[:2]
    mirrored = np.asarray(cv2.warpPerspective(small, bend, (width, height)), dtype=np.uint8)
    mask = np.asarray(cv2.warpPerspective(np.ones((96, 64), np.float32), bend, (width, height)), dtype=np.float32)
    stage.glaze(mirrored, (mask * np.float32(strength))[..., None])
