"""The dictionary says of every published column what the declarations say, and needs nothing but itself."""

import html.parser
import json
from pathlib import Path

from typer.testing import CliRunner

from coldshelf.entrypoints.cli import build_app
from coldshelf.publishing.dictionary import HTML_NAME, JSON_NAME, TYPES, dictionary_files
from coldshelf.publishing.models import BULK_DATASETS, Choice, Mode
from coldshelf.publishing.plan import chosen
from coldshelf.publishing.schemas import dataset_schema
from coldshelf.publishing.service import published
from coldshelf.records.registry import Registry
from tests.publishing.conftest import Publish
from tests.publishing.support import dictionaries

VOID = {"meta"}


def whole(registry: Registry) -> dict[str, bytes]:
    return dictionary_files(published(registry, tuple(BULK_DATASETS)))


class Page(html.parser.HTMLParser):
    """Reads the page: the cells of each row by its id, links, ids, and elements that are left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[str]] = {}
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self._row: list[str] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids |= {given["id"]} if given.get("id") else set()
        self.links |= {str(given[name]) for name in ("href", "src") if name in given}
        if tag == "tr":
            self._row = self.rows.setdefault(given.get("id") or "", [])
        if tag == "td" and self._row is not None:
            self._row.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] and self._row and "td" in self.open:
            self._row[-1] += data


def test_the_json_says_what_the_frozen_schemas_say(registry: Registry) -> None:
    content = json.loads(whole(registry)[JSON_NAME])

    assert [table["dataset"] for table in content["tables"]] == list(BULK_DATASETS)
    for table in content["tables"]:
        dataset = registry.datasets[table["dataset"]]
        assert table.pop("hasRows") == dataset.has_rows
        assert table == dataset_schema(dataset, BULK_DATASETS[dataset.name])
    kinds = {column["type"].partition("(")[0] for table in content["tables"] for column in table["columns"]}
    assert kinds <= {name.partition("(")[0] for name in content["types"]}
    assert content["types"] == TYPES


def test_the_page_has_a_row_for_every_column(registry: Registry) -> None:
    page = Page(whole(registry)[HTML_NAME].decode())

    assert page.open == []
    for name, version in BULK_DATASETS.items():
        for column in dataset_schema(registry.datasets[name], version)["columns"]:
            cells = page.rows[f"{name}.{column['name']}"]
            assert cells[:5] == [
                column["name"],
                column["type"],
                column["unit"],
                column["meaning"],
                str(column["since"]),
            ]
            assert ("personal" in cells[5]) == column["personal"]
    assert page.rows["PlanogramProduct.Shelf"][5] == "key"
    assert page.rows["AssetPurity.Username"][4:] == ["3", "personal"]
    assert page.rows["Location.ModifiedOn"][5] == "never empty"


def test_the_page_needs_nothing_from_elsewhere(registry: Registry) -> None:
    page = Page(whole(registry)[HTML_NAME].decode())

    assert {link for link in page.links if not link.startswith("#")} == set()
    assert {link[1:] for link in page.links} <= page.ids
    assert page.tags.isdisjoint({"script", "link", "img", "iframe"})


def test_the_same_declarations_give_the_same_bytes(registry: Registry) -> None:
    assert whole(registry) == whole(registry)
    assert dictionary_files(published(registry, ["User"]))[HTML_NAME].count(b"<h2 ") == 2


def test_the_command_writes_both_files(registry: Registry, tmp_path: Path) -> None:
    done = CliRunner().invoke(build_app(), ["dictionary", "--out", str(tmp_path / "a" / "b")])

    assert done.exit_code == 0, done.output
    written = {path.name: path.read_bytes() for path in (tmp_path / "a" / "b").iterdir()}
    assert written == whole(registry)


def test_chosen_columns_stand_under_their_chosen_names_with_the_version_that_added_them(registry: Registry) -> None:
    choice = Choice(("AssetPurity",), {"AssetPurity": {"AssetPurityId": "Id", "Username": "Sender"}})
    dataset = chosen(registry.datasets["AssetPurity"], choice)

    (table,) = json.loads(dictionary_files([dataset])[JSON_NAME])["tables"]

    assert [(column["name"], column["since"]) for column in table["columns"]] == [("Id", 1), ("Sender", 3)]
    assert table["key"] == ["Id"]


async def test_runs_of_the_same_tables_share_one_dictionary_that_their_manifests_name(
    publish: Publish, folder: Path, registry: Registry
) -> None:
    first = await publish(mode=Mode.FULL, datasets=["Location", "Asset"])
    at_first = {name: (folder / name).stat().st_mtime_ns for name in dictionaries(folder)}
    second = await publish(mode=Mode.FULL, datasets=["Location", "Asset"])
    after = {name: (folder / name).stat().st_mtime_ns for name in dictionaries(folder)}
    other = await publish(mode=Mode.FULL, datasets=["Product"])

    assert (len(at_first), after) == (2, at_first)
    expected = dictionary_files(published(registry, ["Location", "Asset"]))
    for manifest in (first, second):
        run_folder = folder / manifest.head.run_folder
        said = json.loads((run_folder / "manifest.json").read_bytes())["dictionary"]
        assert [(run_folder / file["path"]).read_bytes() for file in said] == list(expected.values())
    assert {file.path for file in other.dictionary} == dictionaries(folder) - set(at_first)
