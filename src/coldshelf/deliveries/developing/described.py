"""What each event says to those who receive it: JSON Schema and a sample, made of the declarations."""

from collections.abc import Iterable
from dataclasses import dataclass

from coldshelf.deliveries.catalogue import TEST
from coldshelf.deliveries.models import Json
from coldshelf.deliveries.surroundings import Surroundings
from coldshelf.kit.events import EventType
from coldshelf.records.openapi import row_sample, row_schema
from coldshelf.records.resources.names import resource_path

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
SAMPLE_KEY = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedEvent:
    """One event as it is received. `is_promised`: nothing can publish it yet, since its dataset has no rows."""

    type: str
    version: int
    meaning: str
    dataset: str
    is_promised: bool
    schema: Json
    sample: Json


def describe_events(kinds: Iterable[EventType], around: Surroundings) -> dict[str, DescribedEvent]:
    """Describe every public event, by its type."""
    return {kind.name: _describe(kind, around) for kind in kinds if kind.public}


def _describe(kind: EventType, around: Surroundings) -> DescribedEvent:
    return DescribedEvent(
        type=kind.name,
        version=kind.version,
        meaning=kind.meaning,
        dataset=kind.dataset,
        is_promised=not around.registry.datasets[kind.dataset].has_rows,
        schema=_schema(kind, around),
        sample=_sample(kind, around),
    )


def _schema(kind: EventType, around: Surroundings) -> Json:
    properties: Json = {
        "type": {"const": kind.name},
        "version": {"const": kind.version, "description": "Raised when something is taken away or changed"},
        "id": {"type": "string", "format": "uuid", "description": "The same however often it is sent"},
        "timestamp": {"type": "string", "pattern": TIME, "description": "When it happened (UTC)"},
        "clientId": {"type": "integer"},
        "data": _data(kind, around),
        "links": {
            "type": "object",
            "description": "Where more can be read",
            "properties": {name: {"type": "string", "format": "uri-reference"} for name in _links(kind, around)},
            "required": list(_links(kind, around)),
        },
    }
    return {
        "$schema": DIALECT,
        "title": kind.name,
        "description": kind.meaning,
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _data(kind: EventType, around: Surroundings) -> Json:
    """Require the key alone: a large record is sent as its key, and fields may be hidden from the receiver."""
    dataset, addition = around.registry.datasets[kind.dataset], around.additions.get(kind.dataset)
    rows = row_schema(dataset)
    key = {"type": "integer", "description": f"Id of the {dataset.name}"}
    added = {addition.name: addition.schema} if addition else {}
    properties = {**rows["properties"], dataset.key: key, **added}
    return {**rows, "description": dataset.meaning, "properties": properties, "required": [dataset.key]}


def _links(kind: EventType, around: Surroundings) -> Json:
    if kind.name == TEST:
        return {}
    addition = around.additions.get(kind.dataset)
    links = {"record": f"{resource_path(around.registry.datasets[kind.dataset])}/{SAMPLE_KEY}"}
    return links | ({addition.name.lower(): addition.link.format(key=SAMPLE_KEY)} if addition else {})


def _sample(kind: EventType, around: Surroundings) -> Json:
    dataset, addition = around.registry.datasets[kind.dataset], around.additions.get(kind.dataset)
    whole = {} if kind.name == TEST else row_sample(dataset)
    return {
        "type": kind.name,
        "version": kind.version,
        "id": "01935a7c-1f60-7c3e-8f7a-2d1f0f6a9b10",
        "timestamp": "2026-01-31T08:30:00.000000Z",
        "clientId": 1,
        "data": {**whole, dataset.key: SAMPLE_KEY, **({addition.name: addition.sample} if addition else {})},
        "links": _links(kind, around),
    }
