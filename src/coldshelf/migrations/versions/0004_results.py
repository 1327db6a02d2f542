"""Recognition results, compliance and KPIs."""

from coldshelf.migrations.apply import apply_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    apply_file("0004_results.sql")
