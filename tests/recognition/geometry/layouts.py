"""Small coolers drawn as plain rectangles, for exact tests of the geometry."""

import cv2
import numpy as np

from coldshelf.recognition.recogniser import Box, Pixels

WALL = 225
SIZE = (416, 416)


def row(*, foot: float, left: float = 60, count: int = 8, width: float = 36, height: float = 60) -> list[Box]:
    """Products side by side on a shelf whose front edge is at `foot`."""
    return [(left + i * width, foot - height, left + (i + 1) * width - 4, foot) for i in range(count)]


def cooler(*, rows: int = 4, count: int = 8, step: float = 90) -> list[Box]:
    return [box for number in range(rows) for box in row(foot=100 + step * number, count=count)]


def picture_of(boxes: list[Box], size: tuple[int, int] = SIZE) -> Pixels:
    """Draw each box as a striped coloured product before a plain wall; size is height and width."""
    image = np.full((*size, 3), WALL, np.uint8)
    for number, box in enumerate(boxes):
        left, top, right, bottom = (round(side) for side in box)
        colour = [(200, 30, 30), (30, 160, 40), (20, 60, 200)][number % 3]
        cv2.rectangle(image, (left, top), (right, bottom), colour, -1)
        for stripe in range(top + 6, bottom - 4, 12):
            cv2.rectangle(image, (left, stripe), (right, stripe + 4), (245, 240, 230), -1)
    return image


def without(boxes: list[Box], *missing: int) -> list[Box]:
    return [box for number, box in enumerate(boxes) if number not in missing]


def turned(boxes: list[Box], slope: float, *, middle: float = 208) -> list[Box]:
    """Let shelf lines fall to the right by `slope`."""
    return [
        (left, top + slope * ((left + right) / 2 - middle), right, bottom + slope * ((left + right) / 2 - middle))
        for left, top, right, bottom in boxes
    ]


def with_rails(image: Pixels, feet: list[float], *, left: int = 50, right: int = 366) -> Pixels:
    """Draw a blue rail with a white line under each shelf's front edge."""
    for foot in feet:
        cv2.rectangle(image, (left, round(foot)), (right, round(foot) + 12), (20, 40, 130), -1)
        cv2.rectangle(image, (left, round(foot) + 5), (right, round(foot) + 7), (240, 240, 240), -1)
    return image


def with_frame(image: Pixels, left: float, right: float) -> Pixels:
    """Draw the dark frame between two doors, from top to bottom."""
    cv2.rectangle(image, (round(left), 0), (round(right), image.shape[0] - 1), (30, 30, 34), -1)
    return image
