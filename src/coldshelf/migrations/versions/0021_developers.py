"""Events that are tried out, a stream of events, and a sandbox that keeps what would leave."""

from coldshelf.migrations.apply import apply_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    apply_file("0021_developers.sql")
