"""Short forms of the columns that datasets are made of."""

from coldshelf.records.dataset import Column
from coldshelf.records.fields import FieldType


def text(wire: str, meaning: str, column: str = "", *, of: str = "", personal: bool = False) -> Column:
    return Column(wire=wire, column=column, of=of, type=FieldType.TEXT, meaning=meaning, personal=personal)


def whole(wire: str, meaning: str, column: str = "", unit: str = "", *, of: str = "") -> Column:
    return Column(wire=wire, column=column, of=of, type=FieldType.INTEGER, unit=unit, meaning=meaning)


def number(wire: str, meaning: str, unit: str = "") -> Column:
    return Column(wire=wire, type=FieldType.FLOAT, unit=unit, meaning=meaning)


def exact(wire: str, meaning: str, unit: str = "", *, precision: int = 18, scale: int = 4) -> Column:
    return Column(wire=wire, type=FieldType.DECIMAL, precision=precision, scale=scale, unit=unit, meaning=meaning)


def yes_no(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.BOOLEAN, meaning=meaning)


def day(wire: str, meaning: str) -> Column:
    return Column(wire=wire, type=FieldType.DATE, meaning=meaning)


def json(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.JSON, meaning=meaning)


def utc(wire: str, meaning: str, column: str = "") -> Column:
    return Column(wire=wire, column=column, type=FieldType.TIMESTAMP, unit="UTC", meaning=meaning)


def local_and_utc(wire: str, meaning: str) -> tuple[Column, Column]:
    """Give a time twice, as contract 1.8 has it: `wire` is local to the outlet."""
    local = Column(wire=wire, type=FieldType.LOCAL_TIME, unit="local time of the outlet", meaning=meaning)
    return local, utc(f"{wire}Utc", meaning)


def place() -> tuple[Column, Column]:
    """Give the coordinates of a row, empty where they are not known."""
    return (
        exact("Latitude", "Latitude, where known", "degrees", precision=9, scale=6),
        exact("Longitude", "Longitude, where known", "degrees", precision=9, scale=6),
    )
