"""Revisions of the database: files are named by them, and a database at the newest one costs nothing."""

from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory

from coldshelf.kit.runtime import Runtime
from coldshelf.migrations import upgrade as upgrading


def test_the_newest_revision_is_known_without_loading_any() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(upgrading.__file__).parent))
    config.set_main_option("path_separator", "os")

    assert upgrading.newest() == ScriptDirectory.from_config(config).get_current_head()


async def test_a_database_that_was_restored_elsewhere_gets_a_new_generation_at_the_next_start(
    run: Runtime, url: str
) -> None:
    connection = await asyncpg.connect(url)
    before = await connection.fetchval("SELECT generation FROM server_generation")
    assert await upgrading.upgrade(url) == (upgrading.newest(), upgrading.newest())
    assert await connection.fetchval("SELECT generation FROM server_generation") == before

    await connection.execute("UPDATE server_generation SET system_identifier = system_identifier + 1")
    await upgrading.upgrade(url)

    assert await connection.fetchval("SELECT generation FROM server_generation") == before + 1
    await connection.close()
