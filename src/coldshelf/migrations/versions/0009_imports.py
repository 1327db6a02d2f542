"""Imports: their runs, and what each of them changed."""

from coldshelf.migrations.apply import apply_file

revision = "0009"
down_revision = "0011"


def upgrade() -> None:
    apply_file("0009_imports.sql")
