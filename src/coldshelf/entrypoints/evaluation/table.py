"""The report as a table for people."""

from typing import Any

from rich.table import Table

from coldshelf.recognition.evaluation.page import PARTS, figure_names, interval_words

Json = dict[str, Any]  # a JSON document


def figures_table(found: Json) -> Table:
    """Show the figures; parts without truth are left out."""
    title = f"{found['recogniser']} on {found['pictures']} pictures, labels: {found['labels']}"
    table = Table("Part", "Figure", "Value", title=title)
    beside = bool({"intervals", "draws"} & found.keys())
    if beside:
        table.add_column("95 % interval, spread")
    for part in PARTS:
        for number, name in enumerate(figure_names(found, part)):
            value = found[part][name]
            words = [interval_words(found, part, name)] if beside else []
            table.add_row("" if number else part, name, "-" if value is None else str(value), *words)
    cost = [name for name in ("seconds_per_picture", "peak_rss_mb") if found[name] is not None]
    for number, name in enumerate(cost):
        table.add_row("" if number else "cost", name, str(found[name]))
    return table
