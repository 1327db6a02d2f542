"""The notes of paged lists keep the total of their first page."""

from coldshelf.migrations.apply import apply_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    apply_file("0009_list_total.sql")
