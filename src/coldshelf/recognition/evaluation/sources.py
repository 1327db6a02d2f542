"""Reads truth from whatever a person names: a data folder, a folder with a COCO file, or the file."""

from pathlib import Path

from coldshelf.kit.errors import NotFound
from coldshelf.recognition.evaluation.coco_files import find_coco, read_coco
from coldshelf.recognition.evaluation.folders import TRUTH_FILE, read_folder
from coldshelf.recognition.evaluation.truth import Truth


def read_source(path: Path) -> Truth:
    """Read pictures with truth; raise NotFound or InputInvalid that says which file, where in it, and the cure."""
    if path.is_file():
        return read_coco(path)
    if not path.is_dir():
        raise NotFound(f"{path} is not there", cure="Name a folder of pictures with truth, or a COCO file.")
    if not (path / TRUTH_FILE).exists() and (coco := find_coco(path)) is not None:
        return read_coco(coco)
    return read_folder(path)
