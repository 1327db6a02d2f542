"""Brings a database to the newest revision, one process at a time."""

from pathlib import Path

import asyncpg

VERSIONS = Path(__file__).parent / "versions"


async def upgrade(url: str, to: str = "head") -> tuple[str | None, str]:
    """Apply what is missing up to a revision in one transaction; return the revision before and the newest one."""
    if to == "head" and await current(url) == newest():
        await _renew_generation(url)
        return newest(), newest()
    from coldshelf.migrations.revising import apply_missing  # noqa: PLC0415  # Alembic, half a second of each start

    return await apply_missing(url, to), newest()


async def current(url: str) -> str | None:
    """Name the revision of a database; None when it was never migrated."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return revision
    finally:
        await connection.close()


def newest() -> str:
    """Name the newest revision of this release: files are named by theirs, one after the other."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


async def _renew_generation(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT coldshelf_renew_generation()")
    finally:
        await connection.close()
