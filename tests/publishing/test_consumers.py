"""The pages for consumers do what they say."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from coldshelf.kit.ids import ClientId
from coldshelf.kit.runtime import Runtime
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.models import Mode
from coldshelf.publishing.open_tables import keep_table
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.reading import PAGES, database_rows, install_runs, plain, run_page, snippets
from tests.publishing.support import Cast, parts

MODULES = {"spark": "pyspark", "pandas": "pandas", "polars": "polars", "duckdb": "duckdb"}


def arrow(found: Any) -> pa.Table:
    """Make an Arrow table of what a page calls `locations`."""
    if isinstance(found, pa.Table):
        return found
    if isinstance(found, pl.DataFrame):
        return found.to_arrow()
    return pa.Table.from_pandas(found, preserve_index=False) if isinstance(found, pd.DataFrame) else found.toArrow()


@pytest.mark.parametrize("page", ["duckdb", "polars", "pandas", "spark"])
async def test_a_page_loads_and_heals_after_missed_runs(
    run: Runtime,
    cast: Cast,
    client_id: ClientId,
    registry: Registry,
    publish: Publish,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    page: str,
) -> None:
    pytest.importorskip(MODULES[page], reason=f"{MODULES[page]} is not installed")
    install_runs(tmp_path, monkeypatch)
    (tmp_path / "tables").mkdir()

    async def check() -> None:
        rows = await database_rows(run, client_id, registry.datasets["Location"])
        assert plain(arrow(run_page(page)["locations"]), "LocationId") == [row for row in rows if not row["IsDeleted"]]

    first, second, third = await cast.outlets([1, 2, 3])
    await publish(mode=Mode.FULL)
    await check()
    await cast.delete("Location", second)
    await publish(mode=Mode.DELTA)  # this run is missed
    await cast.save("Location", id=third, Name="Nhà hàng 🧊")
    await cast.outlets([4])
    await publish(mode=Mode.DELTA)
    await check()
    await check()
    await cast.delete("Location", first)
    await publish(mode=Mode.FULL)
    await check()


async def test_only_finished_and_untouched_runs_are_read(
    cast: Cast, publish: Publish, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_runs(tmp_path, monkeypatch)
    names = run_page("README")
    with pytest.raises(LookupError, match="a full run is needed"):
        names["due"]("exports", "demo")
    await cast.outlets([1])
    full = await publish(mode=Mode.FULL)
    torn = await publish(mode=Mode.FULL)
    (folder / torn.head.run_folder / "_SUCCESS").unlink()
    delta = await publish(mode=Mode.DELTA)

    found = names["due"]("exports", "demo")

    assert [one["runId"] for one in found] == [full.head.run_id, delta.head.run_id]
    assert names["due"]("exports", "demo", found[1]["asOf"]) == []
    (file,) = parts(folder, full, "Location")
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    with pytest.raises(ValueError, match="is not what its manifest says"):
        names["parts"](found[0], "Location")


async def test_the_page_of_open_tables_runs(
    cast: Cast, publish: Publish, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cast.outlets([1, 2])
    full = await publish(mode=Mode.FULL)
    keep_table(FileDestination(folder), full.head.table_folder("Location"), "all")
    monkeypatch.chdir(tmp_path)

    names = run_page("delta")

    assert (names["locations"].num_rows, names["frame"].height, names["count"]) == (2, 2, 2)
    assert names["last"]["runId"] == full.head.run_id


@pytest.mark.parametrize(
    ("page", "dialect"), [("snowflake", "snowflake"), ("spark", "databricks"), ("delta", "databricks")]
)
def test_sql_parses(page: str, dialect: str) -> None:
    sqlglot = pytest.importorskip("sqlglot", reason="sqlglot is not installed")
    statements = [one for code in snippets(page, "sql") for one in sqlglot.parse(code, dialect=dialect) if one]

    assert statements


def test_pipelines_of_data_factory_have_what_it_asks_for() -> None:
    trigger, pipeline, *datasets = (json.loads(code) for code in snippets("data-factory", "json"))

    told = trigger["properties"]["typeProperties"]
    assert (told["blobPathEndsWith"], told["ignoreEmptyBlobs"]) == ("/_SUCCESS", False)
    assert told["blobPathBeginsWith"].startswith("/exports/blobs/")
    assert told["events"] == ["Microsoft.Storage.BlobCreated"]
    (start,) = trigger["properties"]["pipelines"]
    assert start["pipelineReference"]["referenceName"] == pipeline["name"]
    assert set(start["parameters"]) == set(pipeline["properties"]["parameters"])
    known = {one["name"]: set(one["properties"]["parameters"]) for one in datasets}
    used = re.findall(
        r'"referenceName": "(Coldshelf\w+)", "type": "DatasetReference", "parameters": (\{[^{}]*\})',
        json.dumps(pipeline),
    )
    assert {name for name, _ in used} == set(known)
    for name, given in used:
        assert set(json.loads(given)) == known[name]
    manifest, tables = pipeline["properties"]["activities"]
    (copy,) = tables["typeProperties"]["activities"]
    assert (manifest["type"], tables["type"], copy["type"]) == ("Lookup", "ForEach", "Copy")
    assert tables["dependsOn"][0]["activity"] == manifest["name"]
    assert (copy["typeProperties"]["source"]["type"], copy["typeProperties"]["sink"]["type"]) == (
        "ParquetSource", "AzureSqlSink",
    )  # fmt: skip


M_FUNCTIONS = frozenset({
    "AzureStorage.Blobs", "Json.Document", "List.Combine", "List.First", "List.Max", "List.Select", "List.Transform",
    "Parquet.Document", "Table.Buffer", "Table.Combine", "Table.Distinct", "Table.SelectColumns", "Table.SelectRows",
    "Table.Sort", "Text.EndsWith", "Text.Proper", "Text.Replace", "Text.StartsWith", "Order.Descending",
})  # fmt: skip
"""Names of Microsoft's reference of the language."""


def test_the_query_for_power_bi_uses_functions_that_are_there_and_closes_what_it_opens() -> None:
    (code,) = snippets("power-bi", "powerquery")

    bare = re.sub(r'"[^"]*"', '""', code)
    assert set(re.findall(r"\b[A-Z]\w+\.[A-Z]\w+", bare)) <= M_FUNCTIONS
    assert all(bare.count(left) == bare.count(right) for left, right in ("()", "{}", "[]"))
    assert bare.split()[0] == "let"
    assert bare.split()[-2:] == ["in", "Current"]


def test_every_page_stands_in_the_list() -> None:
    listed = (PAGES / "README.md").read_text(encoding="utf-8")

    assert {page.name for page in PAGES.glob("*.md")} - {"README.md"} <= set(re.findall(r"\]\(([\w-]+\.md)\)", listed))
