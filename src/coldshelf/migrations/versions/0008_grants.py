"""Roles of a client's own, and limits of users and tokens: grants, and the outlets that they expand into."""

from coldshelf.migrations.apply import apply_file

revision = "0008"
down_revision = "0009"


def upgrade() -> None:
    apply_file("0008_grants.sql")
