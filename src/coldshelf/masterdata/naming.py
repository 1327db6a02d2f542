"""What most entities of this room have alike: a name, a code, a key of other systems, and references to them."""

from decimal import Decimal

from coldshelf.records.entity import Field
from coldshelf.records.fields import FieldType

LONGEST_NAME = 150


def named_fields(entity: str, *, longest: int = LONGEST_NAME) -> tuple[Field, ...]:
    """Give the fields Name, Code and External…Code."""
    return (
        Field(wire="Name", required=True, unique=True, max_length=longest, meaning="Unique name"),
        Field(wire="Code", unique=True, max_length=LONGEST_NAME, meaning="Unique code, where there is one"),
        external_code(entity),
    )


def named_keys(entity: str) -> dict[str, str]:
    """Give the parameters that find a record with `named_fields`."""
    external = f"External{entity}Code"
    return {
        external: external,
        f"{entity}Code": "Code",
        "Code": "Code",
        f"{entity}Name": "Name",
        entity: "Name",
        "Name": "Name",
    }


def named_by(entity: str, *names: str) -> dict[str, str]:
    """Give the parameters by which others refer to a record with `named_fields`; further names hold its name."""
    return {
        **dict.fromkeys(names, "Name"),
        f"{entity}Code": "Code",
        f"External{entity}Code": f"External{entity}Code",
    }


def external_code(entity: str, *, longest: int = LONGEST_NAME) -> Field:
    return Field(
        wire=f"External{entity}Code",
        column="external_code",
        unique=True,
        max_length=longest,
        meaning="Key in your own system",
    )


def text(
    wire: str,
    longest: int,
    meaning: str,
    *,
    column: str = "",
    parquet: str | None = "",
    aliases: tuple[str, ...] = (),
    personal: bool = False,
) -> Field:
    return Field(
        wire=wire,
        column=column,
        parquet=parquet,
        aliases=aliases,
        max_length=longest,
        personal=personal,
        meaning=meaning,
    )


def coordinates(meaning: str = "") -> tuple[Field, Field]:
    """Give Latitude and Longitude; `meaning` follows the word."""
    return (_degrees("Latitude", 90, meaning), _degrees("Longitude", 180, meaning))


def _degrees(wire: str, most: int, meaning: str) -> Field:
    return Field(
        wire=wire,
        type=FieldType.DECIMAL,
        precision=9,
        minimum=Decimal(-most),
        maximum=Decimal(most),
        unit="degrees",
        meaning=f"{wire}{meaning}",
    )
