"""Deliveries: who is told about which events, what is on its way, and every attempt."""

from coldshelf.migrations.apply import apply_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    apply_file("0017_deliveries.sql")
