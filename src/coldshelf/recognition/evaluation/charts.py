"""Draws the reliability of confidences as SVG. Pure."""

from collections.abc import Sequence
from typing import Any, Final

_SIDE: Final = 320
_MARGIN: Final = 44


def reliability_svg(bins: Sequence[dict[str, Any]]) -> str:
    """Draw how often names were right over how sure the recogniser was; `bins` as the report lists them."""
    most = max((each["count"] for each in bins), default=0) or 1
    bars = "".join(_bar(each, most) for each in bins if each["count"])
    ticks = "".join(_tick(tenth / 10) for tenth in range(0, 11, 2))
    width, height = _SIDE + 2 * _MARGIN, _SIDE + 2 * _MARGIN
    middle = _MARGIN + _SIDE / 2
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="Reliability of confidences">'
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" class="frame"/>'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" class="ideal"/>{bars}{ticks}'
        f'<text x="{middle}" y="{height - 6}" class="axis" text-anchor="middle">confidence</text>'
        f'<text x="12" y="{middle}" class="axis" text-anchor="middle" transform="rotate(-90 12 {middle})">'
        "share that was right</text></svg>"
    )


def _bar(each: dict[str, Any], most: int) -> str:
    """Draw a bin; the more names it holds, the darker."""
    left, right = _x(each["low"]), _x(each["high"])
    top = _y(each["accuracy"])
    strength = 0.25 + 0.75 * each["count"] / most
    words = f"{each['low']:.1f} to {each['high']:.1f}: {each['count']} names, {each['accuracy']:.0%} right"
    return (
        f'<rect x="{left + 2:.1f}" y="{top:.1f}" width="{right - left - 4:.1f}" height="{_y(0) - top:.1f}" '
        f'class="bar" opacity="{strength:.2f}"><title>{words}</title></rect>'
        f'<text x="{(left + right) / 2:.1f}" y="{max(top - 4, _MARGIN - 4):.1f}" class="count" text-anchor="middle">'
        f"{each['count']}</text>"
    )


def _tick(value: float) -> str:
    return (
        f'<text x="{_x(value)}" y="{_y(0) + 16}" class="tick" text-anchor="middle">{value:.1f}</text>'
        f'<text x="{_MARGIN - 6}" y="{_y(value) + 4}" class="tick" text-anchor="end">{value:.1f}</text>'
    )


def _x(value: float) -> float:
    return _MARGIN + value * _SIDE


def _y(value: float) -> float:
    return _MARGIN + (1 - value) * _SIDE
