"""Countries and their states as ISO 3166 knows them, by any usual spelling."""

import unicodedata
from dataclasses import dataclass
from functools import cache

import pycountry

USUAL_NAMES = {
    "Brunei": "BN", "Burma": "MM", "Cape Verde": "CV", "East Timor": "TL", "Great Britain": "GB", "Ivory Coast": "CI",
    "Macedonia": "MK", "Palestine": "PS", "Russia": "RU", "Swaziland": "SZ", "Turkey": "TR", "UAE": "AE", "UK": "GB",
    "Vatican": "VA",
}  # fmt: skip
"""Names in everyday use that the standard's tables lack."""


@dataclass(frozen=True, slots=True)
class Place:
    """A country (`code` in two letters) or a state (`code` such as US-CA, `country` its country's)."""

    name: str
    code: str
    country: str


def country_by(text: str) -> Place | None:
    """Find a country by name, official name or code, in any letter case and with or without accents."""
    return _countries().get(_folded(text))


def states_by(text: str, country: str = "") -> list[Place]:
    """Find the states with this name or code, of one country or of all."""
    found = _states().get(_folded(text), ())
    return [place for place in found if country in {"", place.country}]


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.strip().casefold().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@cache
def _countries() -> dict[str, Place]:
    found: dict[str, Place] = {}
    for item in pycountry.countries:
        place = Place(getattr(item, "common_name", item.name), item.alpha_2, item.alpha_2)
        for name in ("alpha_2", "alpha_3", "common_name", "name", "official_name"):
            if hasattr(item, name):
                found[_folded(getattr(item, name))] = place
    return found | {_folded(name): found[code.lower()] for name, code in USUAL_NAMES.items()}


@cache
def _states() -> dict[str, tuple[Place, ...]]:
    """Give states by folded name and code; of two parts of a country with one name, the first."""
    found: dict[str, dict[str, Place]] = {}
    for item in pycountry.subdivisions:
        place = Place(item.name, item.code, item.country_code)
        for name in (item.name, item.code):
            found.setdefault(_folded(name), {}).setdefault(place.country, place)
    return {name: tuple(places.values()) for name, places in found.items()}
