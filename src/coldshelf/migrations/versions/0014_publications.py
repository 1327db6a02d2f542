"""Publications: what is published where and when, and their runs."""

from coldshelf.migrations.apply import apply_file

revision = "0014"
down_revision = "0012"


def upgrade() -> None:
    apply_file("0014_publications.sql")
