"""Runs one file of plain SQL inside the migration's transaction."""

from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy.util import await_only

VERSIONS = Path(__file__).parent / "versions"


def apply_file(name: str) -> None:
    """Run every statement of the file; the driver takes several at once only without parameters."""
    driver: Any = op.get_bind().connection.driver_connection  # asyncpg's connection behind SQLAlchemy's adapter
    await_only(driver.execute((VERSIONS / name).read_text()))
