"""Outlets, coolers, products, planograms and devices."""

from coldshelf.migrations.apply import apply_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    apply_file("0002_masterdata.sql")
