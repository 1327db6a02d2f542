"""Reference entities in place of text; users, contacts, outlet actions and factory assets."""

from coldshelf.migrations.apply import apply_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    apply_file("0007_entities.sql")
