"""The report as a page that needs nothing beside it: figures, worst pictures, confusions, reliability. Pure."""

import platform
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from coldshelf.pictures.imaging.encode import encode_jpeg, shrink
from coldshelf.recognition.evaluation.charts import reliability_svg
from coldshelf.recognition.evaluation.drawing import COLOURS, Verdict
from coldshelf.recognition.evaluation.exhibits import Confusion, RatedPicture
from coldshelf.recognition.recogniser import Pixels

Json = dict[str, Any]  # a JSON document
_TILES: Final = (
    ("detection", "precision", "boxes that are products"),
    ("detection", "recall", "products that were found"),
    ("detection", "ap50", "average precision, IoU 0.5"),
    ("identification", "top1", "named right on true boxes"),
    ("identification", "top5", "right among five"),
    ("end_to_end", "f1", "found and named, F1"),
    ("unknown", "recall", "unknown called unknown"),
    ("rows", "agreement", "right shelf and position"),
    ("share_of_shelf", "mean_abs_error", "share of shelf off, points"),
    ("planogram", "recall", "planted deviations found"),
)
PARTS: Final = ("detection", "identification", "end_to_end", "unknown", "rows", "share_of_shelf", "planogram")
_NO_FIGURES: Final = ("by_kind", "references")
_PICTURE_WIDTH: Final = 760
_QUALITY: Final = 78
_LIBRARIES: Final = ("coldshelf", "numpy", "opencv-python-headless")


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A rated picture as it was drawn, and where the drawing lies, seen from the page."""

    rated: RatedPicture
    drawing: Pixels
    file: str


def page(found: Json, shown: Sequence[ShownPicture], confusions: Sequence[Confusion]) -> str:
    """Return the page as HTML; `shown` are the worst pictures first, they and the crops are put into the page."""
    title = f"{found['recogniser']} on {found['pictures']} pictures"
    sections = (
        _tiles(found),
        _figures(found),
        _worst(shown, found["pictures"]),
        _confused(confusions, len(found["confusions"])),
        _reliability(found["calibration"]),
        _planted(found["planogram"]),
    )
    style = files("coldshelf.recognition.evaluation").joinpath("page.css").read_text()
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        f"<h1>{escape(title)}</h1><p>{escape(_subject(found))}</p>{''.join(sections)}"
        f"<footer>{escape(_versions())}</footer></main></body></html>"
    )


def interval_words(found: Json, part: str, name: str) -> str:
    """Write the interval or the spread of a figure; nothing where there is none."""
    bounds = (found.get("intervals", {}).get(part) or {}).get(name)
    drawn = (found.get("draws", {}).get(part) or {}).get(name)
    words = [f"{bounds[0]} to {bounds[1]}"] if bounds else []
    if drawn and drawn["sd"] is not None:
        words.append(f"mean of draws {drawn['mean']}, sd {drawn['sd']}")
    return "; ".join(words)


def figure_names(found: Json, part: str) -> list[str]:
    """Return the names of the figures of a part; none where there is no truth."""
    return [name for name in found[part] or () if name not in _NO_FIGURES]


def _subject(found: Json) -> str:
    words = [
        f"{found['boxes']} true products",
        f"labels: {found['labels']}",
        f"{found['products']} products in the catalogue",
    ]
    if found["identification"] is not None:
        words.append(f"at most {found['identification']['references']} references each")
    words.append(f"{found['seconds_per_picture']} s a picture, {found['peak_rss_mb']} MB at most")
    return ", ".join(words)


def _tiles(found: Json) -> str:
    tiles = [
        f"<div class=tile><b>{found[part][name]:.3g}</b><span>{label}</span></div>"
        for part, name, label in _TILES
        if found[part] is not None and found[part][name] is not None
    ]
    return f"<div class=tiles>{''.join(tiles)}</div>"


def _figures(found: Json) -> str:
    has_ranges = bool({"intervals", "draws"} & found.keys())
    rows = [
        f"<tr><td class=part>{'' if n else part.replace('_', ' ')}</td><td>{name.replace('_', ' ')}</td>"
        f"<td class=number>{_number(found[part][name])}</td>"
        + (f"<td class=number>{escape(interval_words(found, part, name))}</td>" if has_ranges else "")
        + "</tr>"
        for part in PARTS
        for n, name in enumerate(figure_names(found, part))
    ]
    ranges = "<th>95 % interval, spread</th>" if has_ranges else ""
    head = f"<tr><th>Part</th><th>Figure</th><th>Value</th>{ranges}</tr>"
    return f"<h2>Figures</h2><div class=wide><table>{head}{''.join(rows)}</table></div>"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _worst(shown: Sequence[ShownPicture], pictures: int) -> str:
    if not shown:
        return ""
    keys = "".join(f"<span class=key style='background:rgb{colour}'></span>{v}" for v, colour in COLOURS.items())
    cards = "".join(_card(each) for each in shown)
    return (
        f"<h2>Worst pictures</h2><p>{len(shown)} of {pictures}, by F1 of products found and named.{keys}</p>"
        f"<div class=pictures>{cards}</div>"
    )


def _card(shown: ShownPicture) -> str:
    rated = shown.rated
    counts = ", ".join(f"{rated.verdicts[v]} {v}" for v in Verdict if rated.verdicts.get(v))
    rating = "" if rated.f1 is None else f"<b>{rated.f1:.2f}</b> "
    return (
        f"<figure class=card><a href='{escape(shown.file)}'>{_img(shrink(shown.drawing, _PICTURE_WIDTH))}</a>"
        f"<figcaption>{rating}{escape(rated.outcome.picture.name)}<br>{counts}</figcaption></figure>"
    )


def _confused(confusions: Sequence[Confusion], kinds: int) -> str:
    if not confusions:
        return ""
    pairs = "".join(_pair(each) for each in confusions)
    return (
        f"<h2>Who is taken for whom</h2><p>The commonest {len(confusions)} of {kinds} confusions: as seen, a reference "
        f"of what it is, a reference of what it was called.</p><div class=pairs>{pairs}</div>"
    )


def _pair(each: Confusion) -> str:
    seen = "".join(_img(crop) for crop in each.crops)
    shown = [("seen", f"<div class=seen>{seen}</div>" if seen else "")]
    shown += [
        (label, "" if reference is None else _img(reference))
        for label, reference in (("is", each.true_reference), ("called", each.said_reference))
    ]
    parts = "".join(f"<div>{image}<small>{label}</small></div>" for label, image in shown if image)
    return (
        f"<div class='card pair'><header><b>{escape(each.true)} → {escape(each.said)}</b><b>{each.count}x</b>"
        f"</header><div class=crops>{parts}</div></div>"
    )


def _reliability(calibration: Json | None) -> str:
    if calibration is None:
        return ""
    return (
        "<h2>Can the confidence be believed?</h2><p>Named products that were found, by confidence: where a bar ends on "
        f"the dashed line, the confidence is right. Expected calibration error: {calibration['error']}.</p>"
        f"{reliability_svg(calibration['bins'])}"
    )


def _planted(planogram: Mapping[str, Any] | None) -> str:
    if planogram is None:
        return ""
    rows = "".join(
        f"<tr><td>{kind.replace('_', ' ')}</td><td class=number>{counts['found']}</td>"
        f"<td class=number>{counts['missed']}</td><td class=number>{counts['wrongly_found']}</td></tr>"
        for kind, counts in planogram["by_kind"].items()
    )
    head = "<tr><th>Planted deviation</th><th>Found</th><th>Missed</th><th>Wrongly found</th></tr>"
    return f"<h2>Planograms</h2><div class=wide><table>{head}{rows}</table></div>"


def _versions() -> str:
    named = [f"{library} {version(library)}" for library in _LIBRARIES]
    return ", ".join([*named, f"Python {platform.python_version()}"])


def _img(image: Pixels) -> str:
    data = b64encode(encode_jpeg(image, quality=_QUALITY)).decode()
    return f"<img alt='' src='data:image/jpeg;base64,{data}'>"
