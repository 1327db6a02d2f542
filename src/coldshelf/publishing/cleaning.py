"""Takes erased records out of the finished runs of one destination (contract 9.2).

A part that holds something of them is written anew without it, under a name of its own; then the manifest of its table
is replaced, then that of the run, last and at once, and the old part goes. Wherever it is broken off, the next attempt
finds what is left to do. A run whose files cannot be filtered is removed whole. Where nothing can be replaced, its
files are named.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coldshelf.publishing.destination import SUCCESS, Destination, Replaces
from coldshelf.publishing.errors import ManifestBroken
from coldshelf.publishing.formats.known import FORMATS
from coldshelf.publishing.formats.parquet import read_batches
from coldshelf.publishing.formats.parts import write_parts
from coldshelf.publishing.manifests import RunPlace, RunSaid, TableEntry, TableSaid, content_of, parse
from coldshelf.publishing.models import Compression, FileFormat, Layout, Mode, PublishedFile
from coldshelf.publishing.removing import remove_there
from coldshelf.publishing.schemas import file_said, json_of

SIGNED = (("CreatedByUserId", "CreatedByUser"), ("ModifiedByUserId", "ModifiedByUser"))
"""The columns that name a user, beside those of its id."""
WHOLE = 2**62
"""Rows of a part that is not cut."""

_ENDING = re.compile(r"(-e\d+)?\.parquet$")
"""The end of the name of a part, with the erasure for which it was written anew."""
_ERASED = b'"erased": true'
"""Stands in the manifest of a table whose parts were written anew."""
REWRITTEN, REMOVED, OUT_OF_REACH = "rewritten", "removed", "out of reach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """A record that became a tombstone at `erased_on`. `id` is that of its erasure; `signs`: rows name it as a user."""

    id: int
    dataset: str
    row_id: int
    erased_on: datetime
    signs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Something that holds an erased record, or may, and what becomes of it: `of` are the ids of erasures."""

    destination: str
    path: str
    what: str
    why: str = ""
    run_id: str = ""
    as_of: datetime | None = None
    of: frozenset[int] = frozenset()

    def as_json(self) -> dict[str, object]:
        return {
            "Destination": self.destination,
            "Path": self.path,
            "What": self.what,
            "Why": self.why,
            "RunId": self.run_id,
            "AsOf": self.as_of.isoformat() if self.as_of else None,
        }


class _Unknowable(Exception):
    """Raised where a file does not tell which rows are those of the record."""


@dataclass(frozen=True, slots=True)
class Cleaning:
    """One destination of a client. Without `change` everything is looked for, and nothing changed.

    `columns` are the names that the columns of a dataset have in bulk files.
    """

    place: Destination
    name: str
    client: str
    erased: Sequence[Erased]
    columns: dict[str, frozenset[str]]
    change: bool
    reached: list[Reached] = field(default_factory=list)

    def runs(self) -> list[Reached]:
        """Go through every run that has a manifest, also one whose removal was broken off; blocking."""
        for mode in Mode:
            for entry in list(self.place.entries(f"{mode.folder}/{self.client}/_runs")):
                folder, _, name = entry.path.rpartition("/")
                if name == "manifest.json":
                    self._run(RunPlace(self.place, self.client, mode, folder.rpartition("/")[2]))
        return self.reached

    def _run(self, run: RunPlace) -> None:
        try:
            said = run.read()
            tables = self._tables(run, said)
            if isinstance(self.place, Replaces):
                self._clean(run, tables)
            else:
                for table in tables:
                    table.list_only()
        except ManifestBroken as error:
            self.reached.append(Reached(destination=self.name, path=run.manifest, what=OUT_OF_REACH, why=error.message))

    def _tables(self, run: RunPlace, said: RunSaid) -> "list[_Table]":
        due = [one for one in self.erased if said.as_of <= one.erased_on]
        return [_Table(self, run, said.as_of, entry, due) for entry in said.tables]

    def _clean(self, run: RunPlace, tables: "list[_Table]") -> None:
        try:
            changed = [table.clean() for table in tables]
        except _Unknowable as error:
            self._remove(run, tables, str(error))
            return
        if self.change and any(changed):
            self._replace_manifest(run, tables)
        if self.change:
            for table in tables:
                table.remove_old_parts()

    def _replace_manifest(self, run: RunPlace, tables: "list[_Table]") -> None:
        manifest: dict[str, Any] = orjson.loads(content_of(self.place, run.manifest))  # JSON
        for entry, table in zip(manifest["tables"], tables, strict=True):
            content = content_of(self.place, table.manifest)
            entry["rows"] = orjson.loads(content)["rows"]
            entry["sha256"] = hashlib.sha256(content).hexdigest()
        manifest["rows"] = sum(entry["rows"] for entry in manifest["tables"])
        put(self.place, run.manifest, json_of(manifest))

    def _remove(self, run: RunPlace, tables: "list[_Table]", why: str) -> None:
        """Remove a run whole: its marker first, so that nobody begins to read it; last what names the rest."""
        if self.change:
            if run.is_finished:
                self.place.remove(f"{run.folder}/{SUCCESS}")
            for folder in (*(table.folder for table in tables), run.folder):
                remove_there(self.place, folder)
        for table in tables:
            if table.due:
                table.tell(table.folder, REMOVED, why)


class _Table:
    """A table of a run. `due` are the erasures that came behind what it holds, narrowed to those that it may show."""

    def __init__(self, at: Cleaning, run: RunPlace, as_of: datetime, entry: TableEntry, due: list[Erased]) -> None:
        self._at, self._run_id, self._as_of, self._entry = at, run.run_id, as_of, entry
        self.due = [one for one in due if one.signs or one.dataset == entry.dataset]
        self.manifest = run.follow(entry.path)
        self.folder = self.manifest.rpartition("/")[0]

    def tell(self, path: str, what: str, why: str = "") -> None:
        self._at.reached.append(
            Reached(
                destination=self._at.name,
                path=path,
                what=what,
                why=why,
                run_id=self._run_id,
                as_of=self._as_of,
                of=frozenset(one.id for one in self.due),
            )
        )

    def list_only(self) -> None:
        if self.due:
            why = "this destination lets nothing be replaced; ask the one who keeps it to remove the folder"
            self.tell(self.folder, OUT_OF_REACH, why)

    def clean(self) -> bool:
        """Write the parts anew that hold something; say whether the manifest of the run has to follow."""
        if not self.due:
            return False
        if self._at.place.size(self.manifest) is None:
            raise _Unknowable("some of its files are gone already")
        content = content_of(self._at.place, self.manifest)
        said = parse(TableSaid, self.manifest, content)
        rules = _Rules.of(self.due, self._entry.dataset, said)
        renewed: dict[str, PublishedFile] = {}
        for file in said.files:
            new = self._clean_part(f"{self.folder}/{file.path}", rules)
            if new:
                renewed[file.path] = replace(new, day=file.day)
        if renewed and self._at.change:
            put(self._at.place, self.manifest, _with_parts(content, renewed))
        was_broken_off = _ERASED in content and hashlib.sha256(content).hexdigest() != self._entry.sha256
        return bool(renewed) or was_broken_off

    def _clean_part(self, path: str, rules: "_Rules") -> PublishedFile | None:
        if not path.endswith(".parquet"):
            raise _Unknowable("its files are no Parquet files")
        with self._at.place.open(path) as file:
            parquet = pq.ParquetFile(file)
            rules.check(parquet.schema_arrow.names, self._at.columns.get(self._entry.dataset, frozenset()))
            if not rules.are_met_in(parquet):
                return None
            self.tell(path, REWRITTEN)
            return self._rewrite(path, parquet, rules) if self._at.change else PublishedFile(path, 0, 0, "", None, None)

    def _rewrite(self, path: str, parquet: pq.ParquetFile, rules: "_Rules") -> PublishedFile:
        place = self._at.place
        assert isinstance(place, Replaces)  # noqa: S101  # asked before
        batches = (rules.applied(batch) for batch in read_batches(parquet, parquet.schema_arrow.names))
        (written,) = write_parts(
            batches,
            parquet.schema_arrow,
            Layout(_compression(parquet), part_rows=WHOLE),
            FORMATS[FileFormat.PARQUET],
            name_part=lambda _: _ENDING.sub(f"-e{max(one.id for one in self.due)}.parquet", path),
            open_part=place.replacement,
            read_back=place.open,
            on_rows=lambda _: None,
        )
        return written

    def remove_old_parts(self) -> None:
        """Remove the parts that the manifest named before, also those that an attempt before this one left."""
        content = content_of(self._at.place, self.manifest) if self.due else b""
        if _ERASED not in content:
            return
        kept = {f"{self.folder}/{file.path}" for file in parse(TableSaid, self.manifest, content).files}
        for entry in list(self._at.place.entries(self.folder)):
            if entry.path.rpartition("/")[2].startswith("part-") and entry.path not in kept:
                self._at.place.remove(entry.path)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which rows go (`key` holds one of `ids`), and whose names go (`users`)."""

    key: str
    ids: pa.Int64Array
    users: pa.Int64Array

    @classmethod
    def of(cls, due: Sequence[Erased], dataset: str, said: TableSaid) -> "_Rules":
        ids = sorted({one.row_id for one in due if one.dataset == dataset})
        users = sorted({one.row_id for one in due if one.signs})
        key = said.key[0] if len(said.key) == 1 else f"{dataset}Id"
        return cls(key, pa.array(ids, pa.int64()), pa.array(users, pa.int64()))

    def check(self, names: Sequence[str], known: frozenset[str]) -> None:
        """Raise _Unknowable unless the columns tell what has to go."""
        if len(self.ids) and self.key not in names:
            raise _Unknowable(f"its files lack {self.key}")
        nameless = any(name in names and by not in names for by, name in SIGNED)
        if len(self.users) and (nameless or set(names) - known):
            raise _Unknowable("its columns have names of their own, or name users without their ids")

    def are_met_in(self, parquet: pq.ParquetFile) -> bool:
        names = list(self._asked(parquet.schema_arrow.names))
        return any(self._are_met(batch) for batch in read_batches(parquet, names)) if names else False

    def _asked(self, names: Sequence[str]) -> Iterator[str]:
        if len(self.ids):
            yield self.key
        if len(self.users):
            yield from (name for pair in SIGNED if pair[1] in names for name in pair)

    def _are_met(self, batch: pa.RecordBatch) -> bool:
        found = [pc.is_in(batch.column(self.key), self.ids)] if len(self.ids) else []
        found += [pc.and_(self._signed(batch, by), pc.is_valid(batch.column(name))) for by, name in self._pairs(batch)]
        return any(pc.any(one).as_py() for one in found)

    def _pairs(self, batch: pa.RecordBatch) -> list[tuple[str, str]]:
        return [pair for pair in SIGNED if pair[1] in batch.schema.names] if len(self.users) else []

    def _signed(self, batch: pa.RecordBatch, by: str) -> Any:  # an Arrow array
        return pc.is_in(batch.column(by), self.users)

    def applied(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Give the batch without the rows and names."""
        if len(self.ids):
            batch = batch.filter(pc.invert(pc.is_in(batch.column(self.key), self.ids)))
        for by, name in self._pairs(batch):
            nothing = pa.nulls(batch.num_rows, pa.string())
            kept = pc.if_else(self._signed(batch, by), nothing, batch.column(name))
            batch = batch.set_column(batch.schema.get_field_index(name), batch.schema.field(name), kept)
        return batch


def _compression(parquet: pq.ParquetFile) -> Compression:
    if parquet.num_row_groups == 0:
        return Compression.SNAPPY
    said = parquet.metadata.row_group(0).column(0).compression.lower()
    return Compression.NONE if said == "uncompressed" else Compression(said)


def _with_parts(content: bytes, renewed: dict[str, PublishedFile]) -> bytes:
    """Give the manifest of a table with other parts."""
    manifest: dict[str, Any] = orjson.loads(content)  # JSON
    files = [file_said(renewed[file["path"]]) if file["path"] in renewed else file for file in manifest["files"]]
    for chunk in manifest.get("chunks", ()):
        if chunk["path"] in renewed:
            chunk["path"] = renewed[chunk["path"]].path.rpartition("/")[2]
    return json_of({**manifest, "files": files, "rows": sum(file["rows"] for file in files), "erased": True})


def put(place: Destination, path: str, content: bytes) -> None:
    """Replace a small file."""
    assert isinstance(place, Replaces)  # noqa: S101  # asked before
    part = place.replacement(path)
    try:
        part.write(content)
    except BaseException:
        part.discard()
        raise
    part.commit()
