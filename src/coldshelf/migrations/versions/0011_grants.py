"""Roles of a client's own, and limits of users and tokens: grants, and the outlets that they expand into."""

from coldshelf.migrations.apply import apply_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    apply_file("0011_grants.sql")
