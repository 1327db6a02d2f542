"""Messages to people: how a subscription reaches them, digests, templates, settings, addresses that bounce."""

from coldshelf.migrations.apply import apply_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    apply_file("0019_messages.sql")
