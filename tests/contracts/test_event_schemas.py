"""A receiver never breaks: what events say is what is frozen in `events/`, and samples are what their schemas say."""

import jsonschema_rs
import pytest

from coldshelf.deliveries.developing.described import describe_events
from coldshelf.entrypoints.bootstrap import EVENT_TYPES, surroundings
from tests.contracts.freeze_events import breaks, declared, frozen, members

COMMAND = "run: python -m tests.contracts.freeze_events"
DESCRIBED = describe_events(EVENT_TYPES, surroundings())
CONTRACT = """
    image.pending image.approved image.processed image.rejected missed_opportunity.found order.recommended
    order.accepted order.modified order.cancelled alert.opened alert.updated alert.closed export.completed
    export.failed import.completed import.failed"""
"""The events of contract 8.1."""


def test_every_event_of_the_contract_is_described() -> None:
    assert set(CONTRACT.split()) <= set(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_an_event_says_what_its_version_promised(name: str) -> None:
    key = (name, DESCRIBED[name].version)

    assert breaks(frozen()[key], declared()[key]) == []
    assert declared()[key] == frozen()[key], COMMAND


def test_no_frozen_event_is_gone() -> None:
    assert {name for name, _ in frozen()} == set(DESCRIBED), COMMAND


@pytest.mark.parametrize("name", DESCRIBED)
def test_the_sample_of_an_event_is_what_its_schema_says(name: str) -> None:
    one = DESCRIBED[name]
    jsonschema_rs.meta.validate(one.schema)
    validator = jsonschema_rs.Draft202012Validator(one.schema, validate_formats=True)

    validator.validate(one.sample)
    assert not validator.is_valid({**one.sample, "version": 99})
    assert not validator.is_valid({**one.sample, "data": {}})
    assert not validator.is_valid({name: value for name, value in one.sample.items() if name != "id"})


def test_additions_break_nobody_and_everything_else_does() -> None:
    old = {"properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}}}}
    added = {"properties": {**old["properties"], "c": {"type": "string"}}}
    renamed = {"properties": {"a2": {"type": "string"}, "b": old["properties"]["b"]}}
    wider = {"properties": {**old["properties"], "a": {"type": ["string", "null"]}}}
    other = {"properties": {**old["properties"], "b": {"type": "array", "items": {"type": "string"}}}}

    said = [breaks(dict(members(old)), dict(members(new))) for new in (old, added, renamed, wider, other)]

    assert said[:3] == [[], [], ["a vanished"]]
    assert said[3] == ["a was string, now it is null|string"]
    assert said[4] == ["b[] was integer required, now it is string required"]
