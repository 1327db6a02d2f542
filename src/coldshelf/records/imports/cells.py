"""From a cell to a typed value: the rules of one column, in any format."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from coldshelf.records.fields import FALSE_WORDS, TRUE_WORDS
from coldshelf.records.imports.declaration import CellCheck, CellType

Cell = object
"""A cell as a reader gives it: text, number, boolean, date, time, or nothing."""
Read = str | int | bool | None
"""A cell as the checked file keeps it; decimals and dates are text."""
Reader = Callable[[Cell], Read]

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0+)?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]00:00:00)?")
_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


class CellInvalid(Exception):  # an inner signal of this folder, translated to a Problem at once
    """A cell breaks a rule of its column."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRules:
    """The rules of one column, ready to be sent to a child process."""

    name: str
    names: tuple[str, ...]
    type: CellType
    required: bool = False
    max_length: int = 0
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    scale: int = 6
    choices: tuple[str, ...] = ()
    check: CellCheck | None = None
    rule: str = ""

    @property
    def words(self) -> str:
        """Say the rules as a sentence for people."""
        parts = [self.rule] if self.rule else []
        if self.choices:
            parts.append(f"one of {', '.join(self.choices)}, any case")
        if self.minimum is not None or self.maximum is not None:
            parts.append(_range(self.minimum, self.maximum))
        if self.max_length:
            parts.append(f"at most {self.max_length} characters")
        if self.type is CellType.DATE:
            parts.append("YYYY-MM-DD or MM/DD/YYYY")
        head = "required, " if self.required else ""
        return f"{head}{self.type}" + "".join(f"; {part}" for part in parts)


def _range(low: Decimal | None, high: Decimal | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if low is None else f"{low} to {high}"


def reader_of(rules: ColumnRules) -> Reader:
    """Give the function that reads a cell of this column; it gives None for an empty one and raises CellInvalid."""
    kind: dict[CellType, Callable[[ColumnRules], Reader]] = {
        CellType.TEXT: _text_reader,
        CellType.EMAIL: _text_reader,
        CellType.INTEGER: _number_reader,
        CellType.DECIMAL: _number_reader,
        CellType.BOOLEAN: _boolean_reader,
        CellType.DATE: _date_reader,
    }
    return kind[rules.type](rules)


def text_of(cell: Cell) -> str:
    """Give a cell as the text that a person sees, without blanks around it."""
    if isinstance(cell, str):
        return cell.strip()
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "Yes" if cell else "No"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return _rest_of(cell)


def _rest_of(cell: Cell) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, int | timedelta):
        return str(cell)
    raise CellInvalid("takes one value, not a list or an object", "Write one value.")


def _text_reader(rules: ColumnRules) -> Reader:
    longest = rules.max_length or 10_000
    refine = _refiner(rules)

    def read(cell: Cell) -> Read:
        text = cell.strip() if isinstance(cell, str) else text_of(cell)
        if not text:
            return None
        if len(text) > longest:
            raise CellInvalid(
                f"{rules.name} has {len(text)} characters; at most {longest}", f"Shorten it to {longest} characters."
            )
        if "\0" in text:
            raise CellInvalid(f"{rules.name} holds a zero character", "Remove it.")
        return refine(text) if refine else text

    return read


def _refiner(rules: ColumnRules) -> Callable[[str], str] | None:
    if rules.type is CellType.EMAIL:
        return lambda text: _email(rules, text)
    if rules.choices:
        known = {choice.lower(): choice for choice in rules.choices}
        return lambda text: _choice(rules, known, text)
    if rules.check:
        return lambda text: _checked(rules, text)
    return None


def _email(rules: ColumnRules, text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise CellInvalid(f"{rules.name} is no e-mail address", "Write it like name@example.org.")
    return text.lower()


def _choice(rules: ColumnRules, known: dict[str, str], text: str) -> str:
    found = known.get(text.lower())
    if found is None:
        listed = ", ".join(rules.choices)
        raise CellInvalid(f"{rules.name} takes {listed}", f"Write one of {listed}.")
    return found


def _checked(rules: ColumnRules, text: str) -> str:
    wrong = rules.check(text) if rules.check else None
    if wrong:
        raise CellInvalid(f"{rules.name} {wrong}", f"See the rule: {rules.words}.")
    return text


def _number_reader(rules: ColumnRules) -> Reader:
    is_whole = rules.type is CellType.INTEGER
    pattern, takes = (_WHOLE, "a whole number") if is_whole else (_DECIMAL, "a decimal number")
    unit = Decimal(1).scaleb(-rules.scale)

    def read(cell: Cell) -> Read:
        text = text_of(cell)
        if not text:
            return None
        if isinstance(cell, bool) or not pattern.fullmatch(text):
            raise CellInvalid(
                f"{rules.name} takes {takes}", "Write digits only, with a point before decimals: 1234.5, not 1,234.5."
            )
        number = Decimal(text)
        _check_range(rules, number)
        return int(number) if is_whole else str(number.quantize(unit))

    return read


def _check_range(rules: ColumnRules, number: Decimal) -> None:
    low, high = rules.minimum, rules.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise CellInvalid(f"{rules.name} takes {_range(low, high)}", f"Write a number: {_range(low, high)}.")
    if abs(number) >= 10**12:
        raise CellInvalid(f"{rules.name} has too many digits", "Write at most 12 digits before the point.")


def _boolean_reader(rules: ColumnRules) -> Reader:
    def read(cell: Cell) -> Read:
        if isinstance(cell, bool):
            return cell
        word = text_of(cell).lower()
        if not word:
            return None
        if word in TRUE_WORDS:
            return True
        if word in FALSE_WORDS:
            return False
        raise CellInvalid(f"{rules.name} takes Yes or No", "Write Yes or No.")

    return read


def _date_reader(rules: ColumnRules) -> Reader:
    def read(cell: Cell) -> Read:
        text = text_of(cell)
        if not text:
            return None
        iso, us = _ISO_DATE.fullmatch(text), _US_DATE.fullmatch(text)
        try:
            if iso:
                return date(int(iso[1]), int(iso[2]), int(iso[3])).isoformat()
            if us:
                return date(int(us[3]), int(us[1]), int(us[2])).isoformat()
        except ValueError:
            pass
        raise CellInvalid(
            f"{rules.name} takes a date, YYYY-MM-DD or MM/DD/YYYY", "Write it like 2026-03-17 or 03/17/2026."
        )

    return read
