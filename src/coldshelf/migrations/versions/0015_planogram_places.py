"""A place of a planogram keeps its row for life, so that it has one row in bulk files."""

from coldshelf.migrations.apply import apply_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    apply_file("0015_planogram_places.sql")
