"""How resources are called, and how one record is addressed: by its id, its GUID, or a unique code."""

from dataclasses import dataclass
from uuid import UUID

from coldshelf.records.dataset import Dataset, snake_case
from coldshelf.records.entity import Entity
from coldshelf.records.errors import RecordNotFound
from coldshelf.records.fields import FieldType

PREFIX = "/api/v1"
MOST_DIGITS = 18


def resource_name(dataset: Dataset) -> str:
    """Name the resource of a dataset: as it declares, else the plural of its name in kebab case."""
    return dataset.resource or _plural(singular_name(dataset).replace("_", "-"))


def singular_name(dataset: Dataset) -> str:
    """Name one record of a dataset in snake case."""
    return snake_case(dataset.name)


def resource_path(dataset: Dataset) -> str:
    return f"{PREFIX}/{resource_name(dataset)}"


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"


@dataclass(frozen=True, slots=True)
class Address:
    """A unique column (its wire name) and the value that it holds; `parameter` is a save's name for it."""

    wire: str
    value: int | str
    parameter: str

    @property
    def is_code(self) -> bool:
        return self.parameter not in {"id", ""}


def code_names(entity: Entity) -> dict[str, str]:
    """Give the names by which a code can be addressed, each with the key parameter that it stands for.

    Beside the key parameters, `external` is the key in the caller's own system and `code` the visible one.
    """
    external = next((name for name in entity.keys if name.startswith("External")), "")
    code = next((name for name, wire in entity.keys.items() if wire != entity.keys.get(external)), "")
    general = {"external": external, "code": code}
    return {**{name: name for name in entity.keys}, **{name: key for name, key in general.items() if key}}


def read_address(dataset: Dataset, entity: Entity | None, text: str) -> Address:
    """Read the last part of a path; raise RecordNotFound with the cure when nothing can be there."""
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text):  # 0 is a save's word for a new one
        return Address(dataset.key, int(text), "id")
    guid = next((column for column in dataset.columns if column.type is FieldType.GUID), None)
    if guid and _is_guid(text):
        return Address(guid.wire, text, "")
    name, colon, value = text.partition(":")
    names = {key.lower(): parameter for key, parameter in code_names(entity).items()} if entity else {}
    parameter = names.get(name.lower(), "")
    if entity and colon and parameter and value.strip() and "\0" not in value:
        return Address(entity.keys[parameter], value.strip(), parameter)
    ways = ["its id", *(["its GUID"] if guid else []), *(f"{key}:…" for key in (code_names(entity) if entity else ()))]
    raise RecordNotFound(
        f"There is no {dataset.name} {_shown(text)}", cure=f"Address a {dataset.name} by {', '.join(ways)}."
    )


def _is_guid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
