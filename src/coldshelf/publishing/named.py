"""Destinations by name: the operator says where clients may write, so that no client names a place by itself."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from coldshelf.kit.errors import SettingsInvalid
from coldshelf.kit.settings import Settings
from coldshelf.publishing.destination import Destination
from coldshelf.publishing.destinations import open_destination
from coldshelf.publishing.errors import DestinationUnknown

EXPORTS = "exports"
"""The destination that is always there: a folder in the data directory."""


class Named(BaseModel):
    """An entry of the file. `clients` None: every client may use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str
    secret: dict[str, str] = {}
    clients: tuple[str, ...] | None = None

    def open(self) -> Destination:
        return open_destination(self.address, self.secret)


_FILE = TypeAdapter(dict[str, Named])


def read_destinations(settings: Settings) -> Mapping[str, Named]:
    """Read the file of destinations; raise SettingsInvalid naming the place, never a value of it."""
    exports = Named(address=str((settings.data_dir / EXPORTS).absolute()))
    path = settings.destinations_file
    if path is None:
        return {EXPORTS: exports}
    try:
        said = _FILE.validate_json(Path(path).read_bytes())
    except OSError as error:
        raise SettingsInvalid(f"COLDSHELF_DESTINATIONS_FILE: cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise SettingsInvalid(
            f"COLDSHELF_DESTINATIONS_FILE {path}: {places}",
            cure='Write it as {"lake": {"address": "azure://account/exports", "secret": {}, "clients": ["demo"]}}.',
        ) from error
    return {EXPORTS: exports, **said}


def open_named(settings: Settings, name: str, client: str) -> Destination:
    """Open a destination that a client may use; raise DestinationUnknown."""
    known = read_destinations(settings)
    found = known.get(name)
    if found is None or (found.clients is not None and client not in found.clients):
        allowed = ", ".join(sorted(key for key, one in known.items() if one.clients is None or client in one.clients))
        raise DestinationUnknown(
            f"There is no destination {name!r} for {client}",
            cure=f"Choose {allowed}, or let the operator add it to COLDSHELF_DESTINATIONS_FILE.",
        )
    return found.open()
