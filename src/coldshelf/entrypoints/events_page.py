"""The page of events of the docs, made from the declarations."""

import json
from collections.abc import Iterable, Iterator

from coldshelf.deliveries.developing.described import DescribedEvent, describe_events
from coldshelf.deliveries.models import Json
from coldshelf.entrypoints.bootstrap import EVENT_TYPES, surroundings

SHOWN = 6
"""Columns of a record that a sample shows; the reference has all of them."""
HEAD = """# Events

Made from the declarations in the code by `coldshelf events --out docs/events.md`; a test keeps it true.

What happens is told to [subscriptions](callbacks.md), to `coldshelf listen` and to the [stream](developers.md).
`type` and `version` name the shape of a body; `/api/v1/events/{type}` gives its JSON Schema (2020-12) and a whole
sample. A version is raised when something is taken away or changes its type; further fields may come at any time.

`data` is the record as lists show it to its receiver: fields that are hidden from it are left out, and a record of more
than 20,000 bytes is sent as its key.
"""


def events_page() -> str:
    """Write the page as Markdown."""
    described = describe_events(EVENT_TYPES, surroundings())
    return "\n".join([HEAD, *_table(described.values()), *(_section(one) for one in described.values())]) + "\n"


def _table(described: Iterable[DescribedEvent]) -> Iterator[str]:
    yield "| event | version | meaning | `data` |\n| --- | --- | --- | --- |"
    for one in described:
        meaning = one.meaning + ("; promised: nothing publishes it yet" if one.is_promised else "")
        link = f"[{one.dataset}](reference.md#{one.dataset.lower()})"
        yield f"| [`{one.type}`](#{one.type.replace('.', '')}) | {one.version} | {meaning} | {link} |"


def _section(one: DescribedEvent) -> str:
    data = one.sample["data"]
    plain = [name for name, value in data.items() if not isinstance(value, dict)]
    shown = {name: data[name] for name in data if name not in plain[SHOWN:]}
    more = f" The sample shows {SHOWN} of {len(plain)} columns." if len(plain) > SHOWN else ""
    return f"\n## {one.type}\n\n{one.meaning}.{more}\n\n```json\n{_lines({**one.sample, 'data': shown})}\n```"


def _lines(sample: Json) -> str:
    """Write a member a line, and those of `data` as well."""
    members = (
        f' "{name}": ' + (_object(value, "  ") if name == "data" else json.dumps(value))
        for name, value in sample.items()
    )
    return "{\n" + ",\n".join(members) + "\n}"


def _object(value: Json, indent: str) -> str:
    members = (f'{indent}"{name}": {json.dumps(inner)}' for name, inner in value.items())
    return "{\n" + ",\n".join(members) + "\n" + indent[1:] + "}"
