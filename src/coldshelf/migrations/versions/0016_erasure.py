"""Legal erasure: rows become tombstones, names of a user go, and what is left to do is noted."""

from coldshelf.migrations.apply import apply_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    apply_file("0016_erasure.sql")
