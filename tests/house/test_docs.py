"""Undocumented is red."""

import re
from pathlib import Path

import typer

from coldshelf.entrypoints.bootstrap import HANDLERS, registry
from coldshelf.entrypoints.cli import GROUPS, build_app
from coldshelf.entrypoints.events_page import events_page
from coldshelf.entrypoints.reference import EVENT_TYPES, error_types, reference_page

REPOSITORY = Path(__file__).parent.parent.parent
DOCS = REPOSITORY / "docs"


def test_the_reference_page_is_the_one_that_the_declarations_make() -> None:
    page = (DOCS / "reference.md").read_text(encoding="utf-8")

    assert page == reference_page(), "run: coldshelf reference --out docs/reference.md"


def test_the_page_of_events_is_the_one_that_the_declarations_make() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")

    assert page == events_page(), "run: coldshelf events --out docs/events.md"


def test_every_public_event_names_the_dataset_of_its_record() -> None:
    datasets = registry().datasets

    assert [event.name for event in EVENT_TYPES if event.public and event.dataset not in datasets] == []


def test_every_handler_reacts_to_a_declared_event() -> None:
    assert {handler.event_type for handler in HANDLERS} <= {event.name for event in EVENT_TYPES}


def test_every_error_has_a_code_of_its_own_and_a_message() -> None:
    kinds = error_types()

    codes = [kind.code for kind in kinds]

    assert sorted(codes) == sorted(set(codes))
    assert all((kind.__doc__ or "").strip() for kind in kinds)


def test_every_command_stands_in_the_docs() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")

    names = set(typer.main.get_command(build_app()).commands)  # type: ignore[attr-defined]

    assert names <= set(re.findall(r"`coldshelf ([a-z]+)", text))


def test_each_command_is_found_by_the_file_that_has_it() -> None:
    def names(command: str) -> set[str]:
        return set(typer.main.get_command(build_app(command)).commands)  # type: ignore[attr-defined]

    alone = {command: names(command) for commands in GROUPS.values() for command in commands}

    assert alone == {command: set(commands) for commands in GROUPS.values() for command in commands}
    assert names("") == set(alone)


def test_every_entity_stands_in_the_docs_with_its_handlers_keys_and_writers() -> None:
    text = (DOCS / "entities.md").read_text(encoding="utf-8")

    for entity in registry().entities.values():
        handlers = " ".join(f"`{name}`" for name in entity.handlers)
        keys = " ".join(f"`{name}`" for name in entity.keys)
        writers = " ".join(sorted({"Client Admin": "A", "Installer": "I"}[role] for role in entity.writers))
        assert f"| `{entity.name}` | {handlers} | {keys} | {writers} |" in text


def test_every_link_of_the_docs_leads_somewhere() -> None:
    for page in [REPOSITORY / "README.md", *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
