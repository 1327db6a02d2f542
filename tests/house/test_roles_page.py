"""The page of roles is the one that the declarations make; every field that tells of a person says so."""

import re
from pathlib import Path

from coldshelf.entrypoints.bootstrap import registry
from coldshelf.entrypoints.roles import roles_page

PAGE = Path(__file__).parent.parent.parent / "docs" / "roles.md"
TELLS_OF_PERSONS = re.compile(r"(Phone|Mobile|Email|ByUser|AssignedToUser|Owner|SalesRep|FirstName|LastName|Username)$")


def test_the_page_of_roles_is_the_one_that_the_declarations_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == roles_page(), "run: coldshelf roles --out docs/roles.md"


def test_fields_that_tell_of_persons_can_be_hidden_together() -> None:
    columns = [(name, column) for name, dataset in registry().datasets.items() for column in dataset.columns]

    forgotten = [
        f"{name}.{column.wire}"
        for name, column in columns
        if TELLS_OF_PERSONS.search(column.wire) and not column.personal
    ]

    assert len(columns) > 200
    assert forgotten == []
