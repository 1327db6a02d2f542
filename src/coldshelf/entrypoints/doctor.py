"""The checks of `coldshelf doctor`."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from coldshelf.entrypoints.bootstrap import database_url, runtime
from coldshelf.kit import queue
from coldshelf.kit.errors import ColdshelfError
from coldshelf.kit.runtime import Runtime
from coldshelf.kit.settings import Settings
from coldshelf.migrations.upgrade import current, newest
from coldshelf.pictures.imaging.faces import default_detector
from coldshelf.publishing.freshness import troubles
from coldshelf.recognition.recognisers import by_name

LEAST_FREE = 5 * 1024**3
FENCE_LAG = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ok, warn or bad, what was seen, and the cure."""

    state: Literal["ok", "warn", "bad"]
    what: str
    cure: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


async def diagnose(settings: Settings) -> list[Finding]:
    """Run every check; a failed one does not stop the others."""
    findings = [_packages(settings), _disk(settings)]
    try:
        url = database_url(settings)
        revision = await current(url)
        if revision != newest():
            cure = "Run: coldshelf migrate"
            return [*findings, Finding("bad", f"The database is at revision {revision}, not {newest()}", cure)]
        async with runtime(settings, url, migrate=False) as run:
            findings += [await _guarded(check, run) for check in CHECKS]
    except ColdshelfError as error:
        findings.append(Finding("bad", error.message, error.cure))
    except (OSError, ValueError) as error:
        findings.append(Finding("bad", f"The database does not answer: {error}", "See COLDSHELF_DATABASE_URL."))
    return findings


async def _guarded(check: Callable[[Runtime], Awaitable[Finding]], run: Runtime) -> Finding:
    try:
        return await check(run)
    except Exception as error:  # noqa: BLE001  # a broken check is itself a finding
        return Finding("bad", f"{check.__name__.strip('_')}: {error}")


def _packages(settings: Settings) -> Finding:
    recogniser, people = by_name(settings.recogniser), default_detector()
    return Finding("ok", f"recogniser {recogniser.name} {recogniser.version}, people {people.name} {people.version}")


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.absolute().parent
    free = shutil.disk_usage(folder).free
    what = f"{free // 1024**2} MiB free for {settings.data_dir}"
    return Finding("ok", what) if free > LEAST_FREE else Finding("warn", what, "Make room before uploads fail.")


async def _database(run: Runtime) -> Finding:
    async with run.database.system() as connection:
        version = await connection.fetchval("SHOW server_version")
        durable = await connection.fetchval("SHOW fsync") == "on"
    what = f"PostgreSQL {version}, migrated to {newest()}"
    return Finding("ok", what) if durable else Finding("bad", f"{what}, fsync is off", "Switch fsync on.")


async def _isolation(run: Runtime) -> Finding:
    async with run.database.door() as connection:
        seen = await connection.fetchval("SELECT count(*) FROM location")
        role = await connection.fetchval("SELECT current_user")
    if seen or role != "coldshelf_app":
        return Finding("bad", f"A query without a tenant sees {seen} outlets as {role}", "Do not use a BYPASSRLS role.")
    return Finding("ok", "tenants are closed to each other")


async def _horizon(run: Runtime) -> Finding:
    horizon = await run.database.horizon()
    lag = datetime.now(UTC) - horizon if isinstance(horizon, datetime) else timedelta(0)
    what = f"deltas are {lag.total_seconds():.1f} s behind the clock"
    if lag > FENCE_LAG:
        return Finding("warn", what, "A writing transaction is open for too long: see pg_stat_activity.")
    return Finding("ok", what)


async def _steps(run: Runtime) -> Finding:
    async with run.database.system() as connection:
        age = await queue.oldest_waiting(connection)
        given_up = await run.events.given_up(connection)
    what = f"oldest waiting job {age.total_seconds():.0f} s, steps given up {given_up}"
    if age > run.settings.max_queue_age:
        return Finding("bad", what, "Start more workers: coldshelf worker")
    return Finding("warn", what, "Look for step.failed in the worker's log.") if given_up else Finding("ok", what)


async def _objects(run: Runtime) -> Finding:
    key = ".doctor/probe"
    await run.off_loop(run.objects.put, key, b"well")
    content = await run.off_loop(run.objects.get, key)
    await run.off_loop(run.objects.delete, key)
    if content != b"well":
        return Finding("bad", f"{run.settings.objects_url} gives back other bytes", "Check the disk.")
    return Finding("ok", f"pictures in {run.settings.objects_url}")


async def _publications(run: Runtime) -> Finding:
    count, found = await troubles(run)
    if not found:
        return Finding("ok", f"{count} publications, none late, their destinations open")
    cures = dict.fromkeys(one.cure for one in found if one.cure)
    return Finding("bad", "; ".join(one.what for one in found), " ".join(cures))


async def _sandbox(run: Runtime) -> Finding:
    if run.settings.sandbox:
        return Finding("warn", "messages are kept in the outbox and do not leave", "Unset COLDSHELF_SANDBOX.")
    return Finding("ok", "messages leave")


CHECKS = (_database, _isolation, _horizon, _steps, _objects, _publications, _sandbox)
