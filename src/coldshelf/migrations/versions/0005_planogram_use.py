"""What a planogram is for: an exact layout, categories, or priorities."""

from coldshelf.migrations.apply import apply_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    apply_file("0005_planogram_use.sql")
