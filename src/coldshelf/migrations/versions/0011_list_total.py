"""The notes of paged lists keep the total of their first page."""

from coldshelf.migrations.apply import apply_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    apply_file("0011_list_total.sql")
