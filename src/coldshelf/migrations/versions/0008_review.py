"""The review of pending pictures, and uploads that arrive in parts."""

from coldshelf.migrations.apply import apply_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    apply_file("0008_review.sql")
    apply_file("0008_resumable.sql")
