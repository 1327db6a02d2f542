"""The key that signs cookies and cursors: from the settings, else made once and kept in the database."""

import secrets

from coldshelf.kit.db import Database
from coldshelf.kit.settings import Settings

KEEP = "INSERT INTO server_secret (name, value) VALUES ('signing', $1) ON CONFLICT DO NOTHING"
READ = "SELECT value FROM server_secret WHERE name = 'signing'"


async def server_secret(database: Database, settings: Settings) -> bytes:
    """Give the same key in every process."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    async with database.system() as connection:
        await connection.execute(KEEP, secrets.token_bytes(32))
        return bytes(await connection.fetchval(READ))
