"""Reads truth from a folder as the samples have it: ground_truth.json, and planogram_cases.json where there is one."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter

from coldshelf.kit.errors import InputInvalid
from coldshelf.recognition.evaluation.documents import FORMATS, OrderedBox, read_document
from coldshelf.recognition.evaluation.truth import (
    Deviation,
    DeviationKind,
    PlanCase,
    TrueBox,
    TruePicture,
    Truth,
    brands_of,
)

TRUTH_FILE = "ground_truth.json"
CASES_FILE = "planogram_cases.json"


class _Object(BaseModel):
    bbox: OrderedBox
    sku: str | None
    brand: str | None = None
    row_auto: int | None = None
    pos_auto: int | None = None

    def true_box(self) -> TrueBox:
        place = None if self.row_auto is None or self.pos_auto is None else (self.row_auto, self.pos_auto)
        return TrueBox(self.bbox, self.sku, self.brand, place)


class _Picture(BaseModel):
    file: str
    width: int | None = None
    height: int | None = None
    objects: list[_Object] | None = None
    whole: str | None = Field(None, alias="class")


class _TruthFile(BaseModel):
    images: Annotated[list[_Picture], Field(min_length=1)]


class _Swapped(BaseModel):
    kind: Literal["position"]
    row: int
    positions: Annotated[list[int], Field(min_length=1)]
    skus: list[str]


class _Lacking(BaseModel):
    kind: Literal["missing_facing"]
    row: int
    sku: str


class _Wrong(BaseModel):
    kind: Literal["wrong_sku"]
    row: int
    position: int
    planned: str
    seen: str


class _Extra(BaseModel):
    kind: Literal["extra"]
    row: int
    position: int
    sku: str


_Planted = Annotated[_Swapped | _Lacking | _Wrong | _Extra, Field(discriminator="kind")]


class _Case(BaseModel):
    image: str
    case: str
    planogram_rows: list[list[str]]
    deviations: list[_Planted] = Field(alias="deviations_of_the_picture_from_the_plan")


class _CasesFile(BaseModel):
    cases: list[_Case]


_TRUTH = TypeAdapter(_TruthFile)
_CASES = TypeAdapter(_CasesFile)


def read_folder(folder: Path) -> Truth:
    """Read the truth of a folder; raise NotFound or InputInvalid that says which file, where in it, and the cure."""
    path = folder / TRUTH_FILE
    cases = _read_cases(folder / CASES_FILE)
    entries = read_document(path, _TRUTH).images
    pictures = tuple(_picture(folder, entry, cases.pop(entry.file, ())) for entry in entries)
    if cases:
        raise InputInvalid(f"{folder / CASES_FILE}: {next(iter(cases))!r} is no picture of {TRUTH_FILE}", cure=FORMATS)
    return Truth(pictures, "source", folder, brands_of(pictures))


def _picture(folder: Path, entry: _Picture, cases: tuple[PlanCase, ...]) -> TruePicture:
    path = folder / entry.file
    if not path.is_file():
        raise InputInvalid(f"{path} is not there, though {TRUTH_FILE} names it", cure="Add it, or take its entry out.")
    if entry.objects is None and entry.whole is None:
        raise InputInvalid(f"{folder / TRUTH_FILE}: {entry.file!r} has neither `objects` nor `class`", cure=FORMATS)
    return TruePicture(
        name=entry.file,
        path=path,
        size=(entry.width, entry.height) if entry.width and entry.height else None,
        boxes=None if entry.objects is None else tuple(each.true_box() for each in entry.objects),
        whole=entry.whole,
        cases=cases,
    )


def _read_cases(path: Path) -> dict[str, tuple[PlanCase, ...]]:
    """Return the cases of each picture; none without the file."""
    if not path.exists():
        return {}
    cases: dict[str, tuple[PlanCase, ...]] = {}
    for entry in read_document(path, _CASES).cases:
        rows = tuple(tuple(row) for row in entry.planogram_rows)
        case = PlanCase(entry.case, rows, tuple(_deviation(planted) for planted in entry.deviations))
        cases[entry.image] = (*cases.get(entry.image, ()), case)
    return cases


def _deviation(planted: _Planted) -> Deviation:
    """Count rows and positions from 1, as everywhere else; the file counts from 0."""
    kind, row = DeviationKind(planted.kind), planted.row + 1
    if isinstance(planted, _Swapped):
        return Deviation(kind, row, tuple(position + 1 for position in planted.positions), tuple(planted.skus))
    if isinstance(planted, _Lacking):
        return Deviation(kind, row, (), (planted.sku,))
    skus = (planted.planned, planted.seen) if isinstance(planted, _Wrong) else (planted.sku,)
    return Deviation(kind, row, (planted.position + 1,), skus)
