"""Roles, tenancy, true modification times, events, users and the queue."""

from coldshelf.migrations.apply import apply_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    apply_file("0001_foundation.sql")
    apply_file("0001_queue.sql")
