"""Which fields a record is given with: `fields=Name,Code`, in the order in which they are named."""

from dataclasses import dataclass

from coldshelf.records.dataset import Column, Dataset
from coldshelf.records.errors import FieldInvalid
from coldshelf.records.filters import no_field
from coldshelf.records.query import ROW_NUMBER


@dataclass(frozen=True, slots=True)
class ShownFields:
    """Columns to give, None for all of a dataset; `numbered`: with `RowNumber`."""

    columns: tuple[Column, ...] | None = None
    numbered: bool = True


def read_fields(dataset: Dataset, text: str) -> ShownFields:
    """Read the parameter `fields`, empty for all; raise FieldInvalid with what the unknown name may stand for."""
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",")))
    if not text:
        return ShownFields()
    found = [dataset.column(name) or _missed(dataset, name) for name in names if name != ROW_NUMBER.lower()]
    return ShownFields(tuple(found), numbered=ROW_NUMBER.lower() in names)


def _missed(dataset: Dataset, name: str) -> Column:
    if not name:
        raise FieldInvalid("fields names nothing between two commas; send names such as fields=Name,Code")
    raise FieldInvalid(f"fields: {no_field(dataset, name)}")
