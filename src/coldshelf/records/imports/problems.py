"""What is wrong with the cells of a file."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

SHOWN = 200
"""Characters of a wrong value that are repeated."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A bad cell: row of the spreadsheet (0: the file, 1: the heading), column, value, and what to do about it."""

    row: int
    column: str
    value: str
    message: str
    rule: str = ""
    cure: str = ""

    def as_json(self) -> dict[str, object]:
        """Word it as the answer of an import does."""
        return {"row": self.row, "column": self.column, "value": self.value, "message": self.message}

    def as_check(self) -> dict[str, object]:
        """Word it with its rule and cure."""
        return asdict(self)


@dataclass(slots=True)
class Problems:
    """Gathers problems: counts all of them, keeps the first `most`."""

    most: int
    count: int = 0
    kept: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.count += 1
        if len(self.kept) < self.most:
            self.kept.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def sorted(self) -> list[Problem]:
        return sorted(self.kept, key=lambda problem: problem.row)


def shown(value: object) -> str:
    """Give a value as an error repeats it."""
    text = str(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"
