"""The report as a table for people."""

from typing import Any

from rich.table import Table

Json = dict[str, Any]  # a JSON document
PARTS = ("detection", "identification", "end_to_end", "unknown", "rows", "share_of_shelf", "planogram")
LISTED = ("by_kind", "references")


def figure_rows(found: Json) -> list[tuple[str, str, str]]:
    """Return part, figure and value with its interval or spread, in words."""
    return [
        (part, name, _words(found, part, name))
        for part in PARTS
        if found[part] is not None
        for name in found[part]
        if name not in LISTED
    ]


def figures_table(found: Json) -> Table:
    """Show the figures; parts without truth are left out."""
    title = f"{found['recogniser']} on {found['pictures']} pictures, labels: {found['labels']}"
    table = Table("Part", "Figure", "Value", title=title)
    last = ""
    for part, name, words in figure_rows(found):
        table.add_row("" if part == last else part, name, words)
        last = part
    if found["seconds_per_picture"] is not None:
        table.add_row("cost", "seconds_per_picture", str(found["seconds_per_picture"]))
    table.add_row("cost", "peak_rss_mb", str(found["peak_rss_mb"]))
    return table


def _words(found: Json, part: str, name: str) -> str:
    value = found[part][name]
    words = "-" if value is None else str(value)
    bounds = found.get("intervals", {}).get(part, {}).get(name)
    if bounds:
        words += f" [{bounds[0]} to {bounds[1]}]"
    drawn = found.get("draws", {}).get(part, {}).get(name)
    if drawn and drawn["sd"] is not None:
        words += f" ± {drawn['sd']}"
    return words
