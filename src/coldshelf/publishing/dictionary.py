"""The data dictionary: tables and columns of bulk files, made from the declarations, as a page and as JSON."""

from collections.abc import Iterator, Sequence
from html import escape

import orjson

from coldshelf.publishing.models import BULK_DATASETS
from coldshelf.publishing.schemas import ColumnSchema, DatasetSchema, dataset_schema
from coldshelf.records.dataset import Dataset

JSON_NAME, HTML_NAME = "dictionary.json", "dictionary.html"
TYPES = {
    "int64": "Whole number of 64 bits",
    "int32": "Whole number of 32 bits; flags are 1 or 0",
    "float64": "Floating-point number",
    "decimal(p, s)": "Exact number of p digits, s of them behind the point",
    "bool": "True or false",
    "string": "Text in UTF-8; GUIDs and JSON are text too",
    "timestamp[us, tz=UTC]": "Moment in UTC, to the microsecond",
    "timestamp[us]": "Local time without a zone, to the microsecond",
    "date32": "Day",
}
RULES = (
    "A schema changes by added columns only; each time its version rises by one, and a later column may be empty.",
    "A deleted row stays and has IsDeleted = 1.",
    "Per key the row with the newest ModifiedOn is the one that counts.",
    "An empty text and no value are two things; a column that is never empty always has a value.",
    "Personal columns tell of a person; files for partners are without them.",
)
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: light-dark(#0a5a9c, #8cc8ff) }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1rem }
body { overflow-wrap: break-word }
h1 { font-size: 1.6rem; margin: .5rem 0 } h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem } p { margin: .25rem 0 }
a { color: var(--link) } code { font-size: .92em } ul { padding-left: 1.2rem }
nav { columns: 15rem; margin: 1rem 0 } nav a { display: block; padding: .15rem 0 }
table { border-collapse: collapse; margin-top: .75rem; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top }
th { font-weight: 600; font-size: .85rem } tbody tr:target, tbody tr:hover { background: var(--soft) }
.mark { border: 1px solid var(--line); border-radius: .6rem; font-size: .75rem; padding: 0 .45rem; white-space: nowrap }
@media (max-width: 48rem) {
  thead { display: none } table, tbody, tr, td { display: block; width: 100% }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0 } td { border: 0; padding: .05rem 0 }
  td:empty { display: none } td[data-is]::before { content: attr(data-is) ": "; opacity: .7 }
}
"""


def dictionary_files(datasets: Sequence[Dataset]) -> dict[str, bytes]:
    """Give the files of the dictionary by their names; the same declarations give the same bytes."""
    tables = [dataset_schema(dataset, BULK_DATASETS[dataset.name]) for dataset in datasets]
    with_rows = {dataset.name for dataset in datasets if dataset.has_rows}
    described = [{**table, "hasRows": table["dataset"] in with_rows} for table in tables]
    content = {"rules": RULES, "types": TYPES, "tables": described}
    page = "\n".join(_page(tables, with_rows))
    return {
        JSON_NAME: orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        HTML_NAME: f"{page}\n".encode(),
    }


def _page(tables: Sequence[DatasetSchema], with_rows: set[str]) -> Iterator[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Data dictionary</title>'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>'
    yield f"</head>\n<body>\n<h1>Data dictionary</h1>\n<p>{len(tables)} tables in bulk files.</p>\n<ul>"
    yield from (f"<li>{escape(rule)}</li>" for rule in RULES)
    yield "</ul>\n<nav>"
    yield from (f'<a href="#{table["dataset"]}">{table["dataset"]}</a>' for table in tables)
    yield '<a href="#types">Types</a>\n</nav>'
    for table in tables:
        yield from _table(table, has_rows=table["dataset"] in with_rows)
    yield '<h2 id="types">Types</h2>\n<table>\n<thead><tr><th>type</th><th>meaning</th></tr></thead>\n<tbody>'
    yield from (f"<tr><td><code>{escape(name)}</code></td><td>{escape(what)}</td></tr>" for name, what in TYPES.items())
    yield "</tbody>\n</table>\n</body>\n</html>"


def _table(table: DatasetSchema, *, has_rows: bool) -> Iterator[str]:
    name, key = table["dataset"], " + ".join(f"<code>{part}</code>" for part in table["key"])
    yield f'<h2 id="{name}">{name}</h2>\n<p>{escape(table["meaning"])}.</p>'
    yield f"<p>Key: {key}. Version {table['schemaVersion']}, {len(table['columns'])} columns.</p>"
    if not has_rows:
        yield "<p>No rows yet: its columns are fixed, and its files are empty until its source is there.</p>"
    heads = "".join(f"<th>{head}</th>" for head in ("column", "type", "unit", "meaning", "since", ""))
    yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>"
    yield from (_row(table, column) for column in table["columns"])
    yield "</tbody>\n</table>"


def _row(table: DatasetSchema, column: ColumnSchema) -> str:
    name, key = column["name"], column["name"] in table["key"]
    marks = [("key", key), ("never empty", not key and not column["nullable"]), ("personal", column["personal"])]
    shown = " ".join(f'<span class="mark">{mark}</span>' for mark, holds in marks if holds)
    cells = [
        f'<td><a href="#{table["dataset"]}.{name}"><code>{name}</code></a></td>',
        f'<td data-is="type"><code>{escape(column["type"])}</code></td>',
        f'<td data-is="unit">{escape(column["unit"])}</td>',
        f"<td>{escape(column['meaning'])}</td>",
        f'<td data-is="since version">{column["since"]}</td>',
        f"<td>{shown}</td>",
    ]
    return f'<tr id="{table["dataset"]}.{name}">{"".join(cells)}</tr>'
