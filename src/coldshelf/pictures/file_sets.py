"""Sets: several files of one upload that come as resumable uploads of their own. Pure."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from coldshelf.kit.errors import Conflict, InputInvalid
from coldshelf.kit.ids import ClientId
from coldshelf.kit.web.params import Params
from coldshelf.pictures.errors import UploadTooLarge
from coldshelf.pictures.openapi import PARAMETERS
from coldshelf.pictures.tus import read_metadata

MEMBER = ("set", "file", "files")
"""What Upload-Metadata says of a set: its name, the number of this file, and how many there are."""
SHARED = ("files", *(name for name, _, _ in PARAMETERS))
"""What all files of a set say alike."""
LONGEST_NAME = 100
GUIDS = UUID("0d9a3f5e-5b0c-4c57-8d0c-6f3b1f9f7a11")


class SetMismatch(Conflict):
    """The files of a set must say the same"""

    code = "set_mismatch"
    cure = "Say the same with every file, or give the set another name."


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a set: `number`, from 1, of `count`."""

    name: str
    number: int
    count: int

    def guids(self, client_id: ClientId, user_id: int) -> list[UUID]:
        """Name the uploads of all files in their order: the same sender, set and number are the same upload."""
        return [uuid5(GUIDS, f"{client_id} {user_id} {number} {self.name}") for number in range(1, self.count + 1)]


def read_member(params: Params, *, most: int) -> Member | None:
    """Read which file of a set this is; None for a file that comes alone. Raise InputInvalid or UploadTooLarge."""
    lacking = [name for name in MEMBER if not params.text(name)]
    if len(lacking) == len(MEMBER):
        return None
    if lacking:
        raise InputInvalid(f"Upload-Metadata: a file of a set says {', '.join(MEMBER)}; lacking: {', '.join(lacking)}.")
    name, number, count = params.text("set"), params.integer("file", default=0), params.integer("files", default=0)
    if len(name) > LONGEST_NAME:
        raise InputInvalid(f"set takes at most {LONGEST_NAME} characters, not {len(name)}.")
    if count > most:
        raise UploadTooLarge(f"The upload has more than {most} files")
    if not 1 <= number <= count:
        raise InputInvalid(f"file takes a number from 1 to files ({count}), not {number}.")
    return Member(name, number, count)


def check_alike(metadata: str, other: str) -> None:
    """Raise SetMismatch unless two files of a set say the same, but for what is their own."""
    said, known = read_metadata(metadata), read_metadata(other)
    differing = [name for name in SHARED if said.text(name) != known.text(name)]
    if differing:
        raise SetMismatch(f"The files of a set must say the same; this one says otherwise: {', '.join(differing)}.")
