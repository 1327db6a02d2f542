"""SMS: what was handed to the provider and what it costs, by month; who wants none."""

from coldshelf.migrations.apply import apply_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    apply_file("0020_sms.sql")
