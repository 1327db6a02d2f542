"""The table of the race: 20 columns of every kind, one table a size, made once and kept."""

from coldshelf.records.dataset import Column, Dataset, common_columns
from coldshelf.records.fields import FieldType
from coldshelf.records.registry import Registry, build_registry

CLIENT = "race"
PUBLISHED = "Location"
"""The dataset stands in for a published one: others are refused."""
COLUMNS = (
    Column(wire="SampleId", column="id", type=FieldType.INTEGER, meaning="Key"),
    Column(wire="Guid", type=FieldType.GUID, meaning="No two are equal"),
    Column(wire="Code", type=FieldType.TEXT, meaning="No two are equal"),
    Column(wire="Name", type=FieldType.TEXT, meaning="50,000 names"),
    Column(wire="City", type=FieldType.TEXT, meaning="500 cities"),
    Column(wire="Country", type=FieldType.TEXT, meaning="12 countries"),
    Column(wire="Scene", type=FieldType.TEXT, meaning="4 scenes"),
    Column(wire="Note", type=FieldType.TEXT, meaning="Empty in two of three rows, beyond ASCII"),
    Column(wire="Quantity", type=FieldType.INTEGER, meaning="0 to 999"),
    Column(wire="Facings", type=FieldType.INTEGER, meaning="0 to 60, empty in one of 65"),
    Column(wire="Price", type=FieldType.DECIMAL, precision=12, scale=2, meaning="Up to 9,999.99"),
    Column(wire="Share", type=FieldType.DECIMAL, precision=6, scale=4, meaning="0 to 1, empty in one of 5 rows"),
    Column(wire="Temperature", type=FieldType.FLOAT, meaning="Tenths of a degree, empty in one of 10 rows"),
    Column(wire="Latitude", type=FieldType.FLOAT, meaning="All digits"),
    Column(wire="IsVerified", type=FieldType.BOOLEAN, meaning="One of 3 rows"),
    Column(wire="CapturedOn", type=FieldType.TIMESTAMP, meaning="With microseconds"),
    Column(wire="BestBefore", type=FieldType.DATE, meaning="A day of 3 years"),
    *(column for column in common_columns() if column.wire in {"ClientId", "IsDeleted", "ModifiedOn"}),
)


def table_of(rows: int) -> str:
    return f"sample_{rows}"


def dataset_of(rows: int) -> Dataset:
    """Declare the table of so many rows."""
    return Dataset(
        name=PUBLISHED,
        relation=table_of(rows),
        key="SampleId",
        meaning="Rows of every kind",
        client_wide="A race has no outlets.",
        columns=COLUMNS,
    )


def registry_of(rows: int) -> Registry:
    return build_registry((), (dataset_of(rows),))


def stored_columns() -> str:
    """Name the columns as they are stored, under their names in files: what everybody has to read."""
    return ", ".join(f'{column.name} AS "{column.parquet_name}"' for column in COLUMNS)
