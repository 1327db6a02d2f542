"""What is in a folder of an FTP server: as MLSD tells it or, where a server does not know that, as `ls` writes it."""

import ftplib
import re
from datetime import UTC, datetime

from coldshelf.publishing.remote import Listed

LINE = re.compile(r"(?P<kind>[-dl])\S+\s+\d+\s+\S+\s+\S+\s+(?P<size>\d+)\s+\S+\s+\d+\s+\S+\s(?P<name>.+)")
"""A line of `ls -l`, as servers without MLSD write it."""

FACTS = {"file": False, "dir": True}
"""Of the types that MLSD names, those that are no sign of the folder itself or of the one above."""


def list_folder(client: ftplib.FTP, folder: str) -> list[Listed]:
    """Give what is in a folder, with hidden files."""
    try:
        return [_from_facts(name, facts) for name, facts in client.mlsd(folder) if facts["type"] in FACTS]
    except ftplib.error_perm as error:
        if not str(error).startswith("50"):  # 500 to 504: the server does not know MLSD
            raise
    return _listed_as_by_ls(client, folder)


def _from_facts(name: str, facts: dict[str, str]) -> Listed:
    return Listed(name, FACTS[facts["type"]], int(facts.get("size", 0)), _time(facts["modify"]))


def _listed_as_by_ls(client: ftplib.FTP, folder: str) -> list[Listed]:
    lines: list[str] = []
    client.dir("-a", folder, lines.append)
    found = [match for line in lines if (match := LINE.fullmatch(line)) and match["name"] not in {".", ".."}]
    listed = []
    for match in found:
        is_folder = match["kind"] == "d"
        # `ls` tells times without a zone and old ones without the hour; MDTM is exact and in UTC.
        told = "213 19700101000000" if is_folder else client.sendcmd(f"MDTM {folder}/{match['name']}")
        listed.append(Listed(match["name"], is_folder, int(match["size"]), _time(told.split()[-1])))
    return listed


def _time(text: str) -> datetime:
    return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
