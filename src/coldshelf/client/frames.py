"""Records as tables, with libraries that are needed for that only: the extras client-arrow, -pandas, -polars."""

import re
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coldshelf.client.models import Record

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?")


def arrow(records: Sequence[Record]) -> "pa.Table":
    """Make a table; columns of which every value is a time become times without a zone, as the API gives them."""
    library = _library("pyarrow", "client-arrow")
    names = list(dict.fromkeys(name for record in records for name in record))
    table: pa.Table = library.table(
        {name: _column(library, [record.get(name) for record in records]) for name in names}
    )
    return table


def pandas(records: Sequence[Record]) -> "pd.DataFrame":
    _library("pandas", "client-pandas")
    return arrow(records).to_pandas()


def polars(records: Sequence[Record]) -> "pl.DataFrame":
    frame: pl.DataFrame = _library("polars", "client-polars").from_arrow(arrow(records))
    return frame


def _column(library: Any, values: list[Any]) -> Any:  # the library is loaded when it is needed
    said = [value for value in values if value is not None]
    if said and all(isinstance(value, str) and _TIME.fullmatch(value) for value in said):
        return library.array(values, library.string()).cast(library.timestamp("us"))
    return library.array(values)


def _library(name: str, extra: str) -> Any:  # see above
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"{name} is not installed: pip install 'coldshelf[{extra}]'") from error
