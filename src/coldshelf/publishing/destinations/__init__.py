"""The destinations that the house knows, and how an address finds its own."""

from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from coldshelf.publishing.destination import Destination, Secret
from coldshelf.publishing.destinations.azure import AzureDestination
from coldshelf.publishing.destinations.file import FileDestination
from coldshelf.publishing.destinations.ftps import FtpsDestination
from coldshelf.publishing.destinations.s3 import S3Destination
from coldshelf.publishing.destinations.sftp import SftpDestination
from coldshelf.publishing.errors import DestinationUnknown

DESTINATIONS: tuple[type[Destination], ...] = (
    FileDestination,
    AzureDestination,
    S3Destination,
    SftpDestination,
    FtpsDestination,
)


NO_SECRET: Secret = MappingProxyType({})


def open_destination(address: str | Path, secret: Secret = NO_SECRET) -> Destination:
    """Open the destination that takes this URL or path; raise DestinationUnknown."""
    scheme = urlsplit(address).scheme if isinstance(address, str) else ""
    for kind in DESTINATIONS:
        if scheme in kind.capabilities.schemes:
            return kind.at(str(address), secret)
    known = ", ".join(f"{name}://" for kind in DESTINATIONS for name in kind.capabilities.schemes if name)
    raise DestinationUnknown(
        f"Destination {scheme}://…: {scheme}:// is not known", cure=f"Use a folder, or an address with {known}"
    )
