"""Links for people without an account, and what was done by them."""

from coldshelf.migrations.apply import apply_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    apply_file("0018_links.sql")
