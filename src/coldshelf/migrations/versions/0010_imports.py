"""Imports: their runs, and what each of them changed."""

from coldshelf.migrations.apply import apply_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    apply_file("0010_imports.sql")
