"""A large outlet import beside python-calamine reading the same workbook alone, in one run.

    python benchmarks/importing.py [--rows 100000] [--format xlsx|csv] [--url URL]

Writes a file of outlets with all 58 columns filled (a contact, an asset and a device each), lets python-calamine read
it in a process of its own, then imports it: phase 1 in its child, phase 2, one transaction. Without --url it starts the
embedded PostgreSQL in a folder of its own. Each measurement is a process of its own; memory is its peak RSS.
"""

import argparse
import asyncio
import csv
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from coldshelf.access.principal import Role
from coldshelf.access.service import add_client, add_user
from coldshelf.entrypoints.bootstrap import imports, runtime
from coldshelf.kit import embedded
from coldshelf.kit.settings import load_settings
from coldshelf.masterdata.service import prepare_client
from coldshelf.records.imports.runs import Options, Sender, find_type, measure
from coldshelf.records.imports.service import Importing, import_file

TYPE = {
    "Asset Type": "Acme 500",
    "Model Number": "500",
    "Manufacturer": "Acme",
    "Orientation Type": "Vertical",
    "Door Handle Location": "Left",
}
STATES = ("New York", "California", "Texas", "Ohio", "Florida")


def outlet(number: int) -> dict[str, object]:
    """One row with every column filled."""
    return {
        "Code": f"OUT-{number:06}", "Name": f"Corner Store {number}", "Street": f"{number % 900} Main Street",
        "Street2": "Ground floor", "Street3": f"Door {number % 9}", "City": f"City {number % 500}",
        "State": STATES[number % 5], "Postal Code": f"{number % 90000:05}", "Country": "United States",
        "Latitude": round(number * 0.000173 % 90, 6), "Longitude": round(number * 0.000311 % 180, 6),
        "TimeZone": "Pacific Standard Time", "Store Owner": f"Owner {number % 700}", "Active": "Yes",
        "IsKeyOutlet": "No", "Market": f"Market {number % 9}", "Channel": f"Channel {number % 4}",
        "Asset Name": f"SN{number:08}", "Asset Type": "Acme 500", "Asset Manufacturer": "Acme",
        "Classification": f"Tier {number % 3}", "Sub Channel": f"Sub {number % 7}", "Outlet Type": f"Type {number % 5}",
        "Key Account": f"Key {number % 20}", "Customer": f"Customer {number % 300}",
        "Distributor": f"Distributor {number % 60}", "Route": f"Route {number % 90}",
        "Pre-Seller Route": f"Pre {number % 50}", "TDLinx": f"{number:07}", "Buyer GTIN": f"{number:013}",
        "Outlet GTIN": f"{number + 1:013}", "External Code": f"EXT-{number:06}", "Phone": f"555{number:07}",
        "Mobile": f"556{number:07}", "Email": f"store{number}@example.org", "Contact Name": f"Contact {number}",
        "Contact Email": f"contact{number}@example.org", "Contact Phone": f"557{number:07}",
        "Contact Notification Type": "Email", "Sales Rep Email": f"rep{number % 50}@example.org",
        "Sales Rep First Name": "Ann", "Sales Rep Last Name": "Lee", "Sales Rep Phone": "1",
        "Sales Rep Role": "Sales Rep",
        "Primary Sales Rep": "Yes", "Sales Rep Name": f"Rep {number % 50}", "Asset Model Number": "500",
        "Asset Tag Number": f"TAG{number}", "Asset External Code": f"AX-{number:06}", "Asset Planogram": "",
        "Asset In Store Location": "Entrance", "Asset Notes": "Installed", "Smart Device Serial": f"CAM{number:08}",
        "Smart Device Type": "Camera", "Smart Device IMEI": f"8{number:014}",
        "Smart Device Mac Address": f"00:{number:06}", "Suggested Ordering Paused": "No", "Notes": f"Note {number}",
    }  # fmt: skip


def write_file(path: Path, rows: int) -> None:
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, outlet(0))
            writer.writeheader()
            writer.writerows(outlet(number) for number in range(rows))
        return
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, list(outlet(0)))
        for number in range(rows):
            page.write_row(number + 1, 0, list(outlet(number).values()))


def calamine(path: Path) -> None:
    """Read a workbook and look at every cell."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415  # the import process must not load it

    began = time.perf_counter()
    cells = sum(len(row) for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows())
    print(json.dumps({"cells": cells, "seconds": time.perf_counter() - began}))


async def import_outlets(path: Path, url: str, folder: Path) -> None:
    """Import a file for a new client; tell what each phase took."""
    settings = load_settings(data_dir=folder, import_max_rows=1_000_000)
    async with runtime(settings, url) as run:
        client_id = await add_client(run, f"bench{time.time_ns()}", "Bench")
        await prepare_client(run, client_id)
        for number in range(50):
            await add_user(
                run, client_id, f"rep{number}-{client_id}", password="x" * 16, role=Role.SALES_REP,
                email=f"rep{number}@example.org",
            )  # fmt: skip
        sender = Sender(client_id, None, "benchmark")
        type_file = path.with_name("types.csv")
        type_file.write_text(",".join(TYPE) + "\n" + ",".join(TYPE.values()) + "\n")
        kind = find_type(imports(), "AssetType")
        await import_file(Importing(run, imports(), sender), kind, measure(type_file, "types.csv"), Options())
        async with run.database.scope(client_id) as connection:
            for table, names in (
                ("key_account", [f"Key {n}" for n in range(20)]),
                ("customer", [f"Customer {n}" for n in range(300)]),
                ("route", [f"Pre {n}" for n in range(50)]),
            ):
                await connection.execute(
                    f"INSERT INTO {table} (client_id, name) SELECT $1, * FROM unnest($2::text[])", client_id, names
                )
        for turn in ("new", "the same again"):
            phases: list[tuple[str, float]] = []

            async def progress(phase: str, _rows: int, phases: list[tuple[str, float]] = phases) -> None:
                if not phases or phases[-1][0] != phase:
                    phases.append((phase, time.perf_counter()))

            began = time.perf_counter()
            kind = find_type(imports(), "Outlet")
            outcome = await import_file(
                Importing(run, imports(), sender), kind, measure(path, path.name), Options(), progress=progress
            )
            ended = time.perf_counter()
            assert outcome.is_done, [problem.message for problem in outcome.problems.kept[:5]]
            ends = [*(at for _, at in phases[1:]), ended]
            seconds = {name: round(end - at, 2) for (name, at), end in zip(phases, ends, strict=True)}
            own, child = (resource.getrusage(who).ru_maxrss // 1024 for who in (0, resource.RUSAGE_CHILDREN))
            said = {"turn": turn, "seconds": round(ended - began, 2), "phases": seconds, "parent_mib": own}
            print(json.dumps(said | {"child_mib": child, "inserted": outcome.counts.inserted,
                                     "unchanged": outcome.counts.unchanged}))  # fmt: skip


def in_process(*command: str) -> Iterator[tuple[dict[str, object], float, int]]:
    """Run this script with a command; give each line that it says, its time and its memory."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, __file__, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            yield json.loads(line), seconds, peak


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument("--url", default="")
    parser.add_argument("--child", nargs="*", default=[])
    arguments = parser.parse_args()
    if arguments.child[:1] == ["calamine"]:
        calamine(Path(arguments.child[1]))
        return
    if arguments.child[:1] == ["import"]:
        asyncio.run(import_outlets(Path(arguments.child[1]), arguments.child[2], Path(arguments.child[3])))
        return
    folder = Path(tempfile.mkdtemp(prefix="coldshelf-bench-import-"))
    folder.chmod(0o711)
    try:
        compare(arguments, folder)
    finally:
        if not arguments.url:
            embedded.stop(folder / "database")
        shutil.rmtree(folder, ignore_errors=True)


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    path = folder / f"outlets.{arguments.format}"
    write_file(path, arguments.rows)
    print(f"{arguments.rows:,} rows x {len(outlet(0))} columns, {path.stat().st_size / 1e6:.1f} MB {arguments.format}")
    alone = 0.0
    if arguments.format == "xlsx":
        for said, _, peak in in_process("--child", "calamine", str(path)):
            alone = float(str(said["seconds"]))
            print(f"python-calamine alone: {alone:.2f} s, {peak} MiB with what this script loads")
    (folder / "database").mkdir()
    url = arguments.url or embedded.start(folder / "database").url
    for said, _, _ in in_process("--child", "import", str(path), url, str(folder / "data")):
        ratio = f", {float(str(said['seconds'])) / alone:.2f} x calamine alone" if alone else ""
        print(f"import ({said['turn']}): {said['seconds']} s{ratio}: {said}")


if __name__ == "__main__":
    main()
