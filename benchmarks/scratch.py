"""What benchmarks of lists and bulk files share: a scratch database, and rows to fill it with."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from coldshelf.compliance import datasets as compliance_datasets
from coldshelf.kit import embedded
from coldshelf.kit.ids import ClientId
from coldshelf.kpis import datasets as kpi_datasets
from coldshelf.masterdata.entities import ENTITIES
from coldshelf.migrations.upgrade import upgrade
from coldshelf.pictures import datasets as picture_datasets
from coldshelf.recognition import datasets as recognition_datasets
from coldshelf.records.registry import Registry, build_registry

RESULTS = Path(__file__).parent / "results"

NAMES = {"country": 12, "market": 9, "channel": 4, "classification": 3, "customer": 300, "distributor": 60}
"""How many rows there are of what outlets show."""
NAMED = """
    INSERT INTO {0} (client_id, name, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, initcap('{0}') || ' ' || n, now(), 'import', now(), 'import', 1 FROM generate_series(1, $2::bigint) n"""
LOCATIONS = """
    INSERT INTO location (client_id, code, name, external_code, street, city, postal_code, country_id, market_id,
        channel_id, classification_id, customer_id, distributor_id, latitude, longitude,
        is_key_location, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, 'C' || lpad(n::text, 8, '0'), 'Outlet ' || n, md5(n::text), n % 900 || ' Main Street',
        'City ' || n % 500, lpad((n % 90000)::text, 5, '0'),
        (SELECT min(id) FROM country WHERE client_id = $1) + n % 12,
        (SELECT min(id) FROM market WHERE client_id = $1) + n % 9,
        (SELECT min(id) FROM channel WHERE client_id = $1) + n % 4,
        (SELECT min(id) FROM classification WHERE client_id = $1) + n % 3,
        (SELECT min(id) FROM customer WHERE client_id = $1) + n % 300,
        CASE WHEN n % 7 > 0 THEN (SELECT min(id) FROM distributor WHERE client_id = $1) + n % 60 END,
        n * 0.000173 % 90, n * 0.000311 % 180, n % 10 = 0,
        now() - interval '400 days', 'import', now() - n * 7919 % 400 * interval '1 day' - n * interval '1 us',
        'import', 1
    FROM generate_series(1, $2::bigint) n"""
PICTURES = """
    INSERT INTO picture (client_id, guid, serial_number, location_code, location_name, city, country, scene_type,
        image_received_from, before_after, is_stitched, file_count, image_name, total_bytes, received_on, captured_on,
        captured_local, capture_time_source, status_id, submission_outcome, temperature,
        created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT $1, gen_random_uuid(), 'S' || n % 50000, 'C' || n % 50000, 'Outlet ' || n % 50000, 'City ' || n % 500,
        'Country ' || n % 12, 'Cooler', 1, 0, true, 2, 'picture-' || n || '.jpg', 480000 + n % 9999,
        now(), now() - n * interval '1 minute', now() - n * interval '1 minute', 'exif_offset', 13, 'AutoProvisioned',
        n % 300 / 10.0, now(), 'device', now() - n * 7919 % 400 * interval '1 day' - n * interval '1 us', 'worker', 1
    FROM generate_series(1, $2::bigint) n"""
RESULTS_OF_PICTURES = """
    INSERT INTO recognition_result (client_id, picture_id, number, event_id, recogniser, recogniser_version, is_served,
        shelves, purity_status, created_on, created_by_user, modified_on, modified_by_user, revision)
    SELECT client_id, id, 1, gen_random_uuid(), 'colour', '1', true, '[]', repeat('12,', 20), now(), '', now(), '', 1
    FROM picture WHERE client_id = $1"""
KPIS_OF_PICTURES = """
    INSERT INTO picture_kpi (client_id, picture_id, result_id, total_facings, own_facings, foreign_facings,
        own_share_of_shelf, foreign_share_of_shelf, purity_percentage, planogram_compliance)
    SELECT client_id, picture_id, id, 40, 30, 10, id % 100 / 1.3, 100 - id % 100 / 1.3, 75, id % 1000 / 10.0
    FROM recognition_result WHERE client_id = $1"""
FILLING = {
    "Location": ("location", (LOCATIONS,)),
    "AssetPurity": ("picture", (PICTURES, RESULTS_OF_PICTURES, KPIS_OF_PICTURES)),
}


@contextmanager
def scratch_database(url: str | None) -> Iterator[str]:
    """Give the address, or that of an embedded PostgreSQL in a folder of its own."""
    if url:
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-bench-"))
    try:
        yield embedded.start(folder).url
    finally:
        embedded.stop(folder)
        embedded.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def client_code(dataset: str, rows: int) -> str:
    """Name the client that holds so many rows of the dataset."""
    return f"bench-{dataset}-{rows}"


async def fill(url: str, dataset: str, rows: int) -> ClientId:
    """Migrate the database and give a client so many rows, once."""
    await upgrade(url)
    code = client_code(dataset, rows)
    table, statements = FILLING[dataset]
    connection = await asyncpg.connect(url)
    try:
        known = await connection.fetchval("SELECT id FROM client WHERE code = $1", code)
        if known is not None:
            return ClientId(known)
        print(f"filling {table} with {rows:,} rows")
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")  # the stamps cost minutes
            client_id = await connection.fetchval("INSERT INTO client (code, name) VALUES ($1, $1) RETURNING id", code)
            for named, count in NAMES.items() if dataset == "Location" else ():
                await connection.execute(NAMED.format(named), client_id, count)
            for statement in statements:
                values = [client_id, rows][: 2 if "$2" in statement else 1]
                await connection.execute(statement, *values)
        await connection.execute("VACUUM (ANALYZE)")
        return ClientId(client_id)
    finally:
        await connection.close()


def registry() -> Registry:
    """Build the datasets alone: `entrypoints.bootstrap` brings routes and pictures, which take seconds to import."""
    return build_registry(
        ENTITIES,
        (*picture_datasets.DATASETS, *recognition_datasets.DATASETS),
        (*recognition_datasets.GROUPS, *compliance_datasets.GROUPS, *kpi_datasets.GROUPS),
    )


def peak_kib() -> int:
    """Read this program's own peak: what `getrusage` says counts the memory of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
