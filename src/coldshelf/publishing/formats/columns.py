"""From a declaration to Arrow: the SELECT of a dataset, the schema of its file, and the checks on every value.

Drivers falsify some values without a word (an infinite time comes out as the year -290308), so nothing is left to
their defaults: each column is cast in the SELECT, and here each batch is checked against the declaration. Decimals
travel as text, which Arrow reads without loss or refuses.

Refused are the values that input refuses too, and that not every reader can show: infinite times and dates and those
outside the years 1 to 9999, numbers that are infinite or not a number, decimals with more digits than declared.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.compute as pc

from coldshelf.publishing.errors import SchemaBroken, ValueNotExportable
from coldshelf.publishing.schemas import bulk_columns, is_nullable
from coldshelf.records.bulk import Window, bulk_select
from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.fields import TYPE_MAPS, FieldType

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MODIFIED_ON = "ModifiedOn"

AnyArray = Any
"""An Arrow array of whatever type its column has; the stubs only know arrays of one type each."""
AnyScalar = Any
"""The same for one value."""
AnyDecimal = Any
"""The type of decimals of either width."""

ARROW_TYPES: dict[str, pa.DataType] = {
    "int64": pa.int64(),
    "int32": pa.int32(),
    "string": pa.string(),
    "float64": pa.float64(),
    "bool": pa.bool_(),
    "timestamp[us, tz=UTC]": pa.timestamp("us", "UTC"),
    "timestamp[us]": pa.timestamp("us"),
    "date32": pa.date32(),
}
"""By the names of TypeMap.arrow; a decimal takes its digits from its column."""

MOST_DIGITS = 38
DIGITS_OF_INT64 = 18
FIRST_DAY = (datetime(1, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(days=1)
LAST_DAY = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH) // timedelta(days=1)
FIRST_MICROSECOND = FIRST_DAY * 86_400_000_000
LAST_MICROSECOND = (LAST_DAY + 1) * 86_400_000_000 - 1


def arrow_type(column: Column) -> pa.DataType:
    if column.type is not FieldType.DECIMAL:
        return ARROW_TYPES[TYPE_MAPS[column.type].arrow]
    if column.precision > MOST_DIGITS:
        raise SchemaBroken(f"{column.wire} declares {column.precision} digits; column files hold {MOST_DIGITS}")
    narrow = column.precision <= DIGITS_OF_INT64
    return (pa.decimal64 if narrow else pa.decimal128)(column.precision, column.scale)


def file_schema(dataset: Dataset) -> pa.Schema:
    """Give the schema of a dataset's bulk files."""
    return pa.schema(
        [
            pa.field(name, arrow_type(column), nullable=is_nullable(dataset, name))
            for name, column in bulk_columns(dataset)
        ]
    )


def select_text(dataset: Dataset, window: Window) -> str:
    """Compose the SELECT: every column cast, in order of the key."""
    columns = ", ".join(_read(name, column) for name, column in bulk_columns(dataset))
    return f"SELECT {columns} FROM ({bulk_select(dataset, window)}) AS bulk"


def _read(name: str, column: Column) -> str:
    return f'"{name}"::text AS "{name}"' if column.type is FieldType.DECIMAL else f'"{name}"'


class Checker:
    """Turns batches as the driver gives them into batches of the declared schema, and refuses what does not fit."""

    def __init__(self, dataset: Dataset) -> None:
        self.schema = file_schema(dataset)
        self._dataset = dataset
        self._columns = bulk_columns(dataset)
        self._given = [
            pa.string() if column.type is FieldType.DECIMAL else arrow_type(column) for _, column in self._columns
        ]

    def check_types(self, given: pa.Schema) -> None:
        """Compare what the driver gives with what the SELECT casts to."""
        for (name, _), wanted, field in zip(self._columns, self._given, given, strict=True):
            if field.name != name or field.type != wanted:
                raise SchemaBroken(f"{self._dataset.name}.{name}: {wanted} was asked for, {field} came")

    def checked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Give the batch in the declared types."""
        arrays = [
            self._array(batch, name, column, batch.column(place)) for place, (name, column) in enumerate(self._columns)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _array(self, batch: pa.RecordBatch, name: str, column: Column, array: AnyArray) -> AnyArray:
        if array.null_count and not self.schema.field(name).nullable:
            self._refuse(batch, name, array.is_null().to_pylist(), "is empty")
        match column.type:
            case FieldType.DECIMAL:
                return self._decimal(batch, name, array)
            case FieldType.TIMESTAMP | FieldType.LOCAL_TIME:
                self._check_range(batch, name, array.view(pa.int64()), (FIRST_MICROSECOND, LAST_MICROSECOND))
            case FieldType.DATE:
                self._check_range(batch, name, array.view(pa.int32()), (FIRST_DAY, LAST_DAY))
            case FieldType.FLOAT if pc.all(pc.is_finite(array)).as_py() is False:
                wrong = [number is not None and not math.isfinite(number) for number in array.to_pylist()]
                self._refuse(batch, name, wrong, "is not a finite number")
            case _:
                pass
        return array

    def _decimal(self, batch: pa.RecordBatch, name: str, array: AnyArray) -> AnyArray:
        kind = self.schema.field(name).type
        array = _without_overflow(array, kind)
        try:
            return pc.cast(array, kind)
        except pa.ArrowInvalid:
            wrong = [not _fits(array.slice(row, 1), kind) for row in range(len(array))]
            self._refuse(batch, name, wrong, f"is not a finite number of {kind}")

    def _check_range(self, batch: pa.RecordBatch, name: str, numbers: AnyArray, allowed: tuple[int, int]) -> None:
        first, last = bounds(numbers)
        if first is None or last is None or allowed[0] <= first <= last <= allowed[1]:
            return
        wrong = [number is not None and not allowed[0] <= number <= allowed[1] for number in numbers.to_pylist()]
        self._refuse(batch, name, wrong, "is infinite or not in the years 1 to 9999")

    def _refuse(self, batch: pa.RecordBatch, name: str, wrong: Iterable[bool], what: str) -> NoReturn:
        row = next(row for row, is_wrong in enumerate(wrong) if is_wrong)
        key = batch.column(self._dataset.key)[row].as_py()
        raise ValueNotExportable(f"{self._dataset.name}.{name} {what} ({self._dataset.key} {key})")


def bounds(numbers: AnyArray) -> tuple[int | None, int | None]:
    """Find the least and the greatest value; None when there is none."""
    least, greatest = pc.min_max(numbers).values()
    return least.as_py(), greatest.as_py()


def _without_overflow(array: AnyArray, kind: AnyDecimal) -> AnyArray:
    """Make text that Arrow refuses of numbers with more digits than it holds: read as they are, they come out wrong."""
    _, longest = bounds(pc.binary_length(array))
    if longest is None or longest <= (DIGITS_OF_INT64 if pa.types.is_decimal64(kind) else MOST_DIGITS):
        return array
    texts = [None if text is None else _shortened(text, kind.precision, kind.scale) for text in array.to_pylist()]
    return pa.array(texts, pa.string())


def _shortened(text: str, precision: int, scale: int) -> str:
    """Leave out the zeros at the end of a number; NaN when it has too many digits all the same."""
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    fits = len(whole.lstrip("-0")) <= precision - scale and len(fraction) <= scale
    return f"{whole}.{fraction}".rstrip(".") if fits else "NaN"


def _fits(array: AnyArray, kind: pa.DataType) -> bool:
    try:
        pc.cast(array, kind)
    except pa.ArrowInvalid:
        return False
    return True


def moment(microseconds: int | None) -> datetime | None:
    """Turn a timestamp's number into an aware time; None stays None."""
    return None if microseconds is None else EPOCH + microseconds * MICROSECOND
