"""The SELECT of a bulk file: all columns of a dataset in the types of Parquet, bounded by time, revisions or ids."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.sql.selectable import FromClause

from coldshelf.records.clauses import DIALECT, Expression, raw
from coldshelf.records.dataset import NOWHERE, Column, Dataset
from coldshelf.records.fields import TYPE_MAPS
from coldshelf.records.limits import bulk_sql
from coldshelf.records.query import Own, joined_on, own_columns, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which rows of a dataset a bulk file holds; a bound that is None is none.

    `since` and `before` bound ModifiedOn. `revisions` and `ids` are (after, up to). `limit_id` is that of the outlets
    of a narrowed dataset; a file of changes then also has the rows that left them, as deleted ones.
    """

    since: datetime | None = None
    before: datetime | None = None
    revisions: tuple[int, int] | None = None
    ids: tuple[int, int] | None = None
    limit_id: int | None = None

    @property
    def has_changes_only(self) -> bool:
        return self.since is not None or self.revisions is not None

    @property
    def bounds(self) -> list[sa.TextClause]:
        """Say the bounds in SQL; they are numbers and a time, so they stand in it as they are."""
        said = []
        for sign, moment in ((">=", self.since), ("<", self.before)):
            if moment is not None:
                said.append(f"t.modified_on {sign} '{moment.astimezone(UTC).isoformat()}'::timestamptz")
        for name, between in (("revision", self.revisions), ("id", self.ids)):
            if between is not None:
                said.append(f"t.{name} > {between[0]:d} AND t.{name} <= {between[1]:d}")
        return [sa.text(text.replace(":", "\\:")) for text in said]


EVERYTHING = Window()


def bulk_select(dataset: Dataset, window: Window = EVERYTHING) -> str:
    """Compose the SELECT of a bulk file: every column cast explicitly, in order of the key."""
    if not dataset.has_rows:
        return _nothing(dataset)
    fields = [_parquet_column(column) for column in dataset.columns if column.parquet_name]
    source = _bulk_rows(dataset, window)
    kept = dataset.key_columns | {"id"} if dataset.limited else frozenset()
    for join in dataset.joins:
        on = joined_on(join, kept=kept)
        source = source.outerjoin(sa.table(join.relation).alias(join.name), sa.text(on))
    query = sa.select(*fields).select_from(source).where(*window.bounds).order_by(Own.id)
    if dataset.limited and not window.has_changes_only:
        query = query.where(sa.text("t.in_sight"))
    return str(query.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def _bulk_rows(dataset: Dataset, window: Window) -> FromClause:
    if not dataset.limited:
        return table(dataset)
    if window.limit_id is None:
        raise ValueError(f"{dataset.name} is limited to outlets, and no limit is named")
    text = bulk_sql(dataset, own_columns(dataset), f"{window.limit_id:d}").replace(":", "\\:")
    return sa.text(text).columns().subquery("t")


def _nothing(dataset: Dataset) -> str:
    """Compose the SELECT of a dataset whose rows come with a later room: its columns and no row."""
    empty = [_parquet_column(replace(column, of=NOWHERE)) for column in dataset.columns if column.parquet_name]
    return str(sa.select(*empty).where(sa.false()).compile(dialect=DIALECT))


def _parquet_column(column: Column) -> Expression:
    return sa.literal_column(TYPE_MAPS[column.type].parquet_sql.format(raw(column))).label(column.parquet_name)
