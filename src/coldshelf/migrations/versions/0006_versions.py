"""Stacks, doors and depths of results; figures with the versions they come from; reprocessing."""

from coldshelf.migrations.apply import apply_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    apply_file("0006_versions.sql")
    apply_file("0006_reprocessing.sql")
