"""The audit of imports without a foreign key to the run that writes it."""

from coldshelf.migrations.apply import apply_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    apply_file("0012_import_audit.sql")
