"""Pictures, their files and renditions."""

from coldshelf.migrations.apply import apply_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    apply_file("0003_pictures.sql")
