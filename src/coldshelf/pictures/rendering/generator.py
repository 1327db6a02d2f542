"""Makes as many invented drinks as wanted: brands, their flavours, and the same drink in can and bottle."""

import colorsys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count as counting
from itertools import islice

import numpy as np

from coldshelf.pictures.rendering.designs import FORMS, Form, LabelStyle, Packaging, ProductDesign
from coldshelf.pictures.rendering.paint import Colour

_STARTS = (
    "B",
    "Br",
    "Ch",
    "D",
    "Dr",
    "F",
    "Fl",
    "G",
    "Gl",
    "H",
    "J",
    "K",
    "Kr",
    "L",
    "M",
    "N",
    "P",
    "Pl",
    "Qu",
    "R",
    "S",
)
_VOWELS = ("a", "e", "i", "o", "u", "ay", "ee", "oo", "io")
_MIDDLES = ("l", "ll", "m", "n", "nd", "r", "rr", "s", "ss", "t", "v", "x", "z", "mb", "nt", "rk", "lt", "sh")
_ENDS = ("a", "o", "i", "us", "ex", "ora", "ino", "ella", "ade", "up", "ix", "on", "aro", "ette", "in", "ya")
_OWN_MAKER = "Northpier Beverages"
_METAL: Colour = (196, 200, 206)
_CANS = (Packaging.CAN, Packaging.SLIM_CAN)
_BOTTLES = (Packaging.PET, Packaging.WIDE_PET, Packaging.GLASS)
_COMMONNESS = {
    Packaging.CAN: 0.22,
    Packaging.SLIM_CAN: 0.24,
    Packaging.PET: 0.26,
    Packaging.WIDE_PET: 0.16,
    Packaging.GLASS: 0.07,
    Packaging.CARTON: 0.05,
}
_MILLILITRES = {
    Packaging.CAN: (330, 355),
    Packaging.SLIM_CAN: (250, 330),
    Packaging.PET: (390, 500, 1500),
    Packaging.WIDE_PET: (350, 455),
    Packaging.GLASS: (240, 330),
    Packaging.CARTON: (180, 500, 1000),
}


@dataclass(frozen=True, slots=True)
class _Flavour:
    """A taste, the colour that stands for it and the colour of the drink."""

    name: str
    colour: Colour
    drink: Colour


_FLAVOURS = (
    _Flavour("Cola", (150, 20, 30), (52, 26, 18)),
    _Flavour("Zero", (26, 26, 30), (46, 24, 18)),
    _Flavour("Orange", (240, 120, 20), (246, 140, 40)),
    _Flavour("Lemon", (246, 214, 40), (238, 230, 150)),
    _Flavour("Lime", (60, 170, 60), (150, 205, 120)),
    _Flavour("Apple", (120, 180, 50), (206, 190, 90)),
    _Flavour("Cherry", (170, 20, 60), (150, 26, 50)),
    _Flavour("Berry", (110, 40, 140), (120, 30, 90)),
    _Flavour("Peach", (246, 160, 110), (222, 150, 84)),
    _Flavour("Mint", (40, 190, 160), (150, 220, 200)),
    _Flavour("Sarsi", (110, 60, 40), (70, 34, 22)),
    _Flavour("Still", (40, 120, 200), (186, 212, 228)),
    _Flavour("Soda", (210, 222, 230), (206, 222, 232)),
    _Flavour("Tea", (120, 90, 30), (160, 90, 34)),
    _Flavour("Green", (30, 90, 50), (150, 140, 60)),
    _Flavour("Energy", (220, 30, 40), (214, 60, 60)),
    _Flavour("Coffee", (90, 60, 40), (96, 66, 46)),
    _Flavour("Milk", (240, 236, 226), (244, 238, 226)),
)


@dataclass(frozen=True, slots=True)
class _Brand:
    """What all drinks of a brand share."""

    word: str
    maker: str
    style: LabelStyle
    variant: int
    colour: Colour
    scheme: int
    packagings: tuple[Packaging, ...]


def generate_designs(count: int, seed: int = 0) -> tuple[ProductDesign, ...]:
    """Invent `count` drinks, no two alike; the first ones of a longer list with the same seed are the same.

    A brand has one to eight flavours, which may differ in colours only, each in one to three packagings.
    """
    rng = np.random.default_rng([seed, 8])
    return tuple(
        replace(design, sku=f"GD-{number:04d}") for number, design in enumerate(islice(_drinks(rng), count), start=1)
    )


def _drinks(rng: np.random.Generator) -> Iterator[ProductDesign]:
    known: set[str] = set()
    for number in counting(1):
        brand = _brand(rng, number, known)
        shapes = {packaging: _shape(rng, packaging) for packaging in brand.packagings}
        flavours = rng.choice(len(_FLAVOURS), size=int(rng.integers(1, 9)), replace=False)
        for index in flavours:
            for packaging, (form, litres) in shapes.items():
                if packaging is brand.packagings[0] or rng.random() < 0.7:
                    yield _drink(rng, brand, _FLAVOURS[index], packaging=packaging, form=form, litres=litres)


def _brand(rng: np.random.Generator, number: int, known: set[str]) -> _Brand:
    word = _word(rng)
    while word in known:
        word = _word(rng)
    known.add(word)
    count = int(rng.choice([1, 2, 2, 3]))
    kinds = rng.choice([kind.value for kind in _COMMONNESS], size=count, replace=False, p=list(_COMMONNESS.values()))
    return _Brand(
        word=word,
        maker=_OWN_MAKER if rng.random() < 0.6 else f"{word} Drinks",
        style=LabelStyle(rng.choice([style.value for style in LabelStyle])),
        variant=number,
        colour=_vivid(rng),
        scheme=int(rng.integers(0, 4)),
        packagings=tuple(Packaging(kind) for kind in kinds),
    )


def _word(rng: np.random.Generator) -> str:
    parts = [rng.choice(_STARTS), rng.choice(_VOWELS)]
    if rng.random() < 0.8:
        parts += [rng.choice(_MIDDLES), rng.choice(_ENDS)]
    else:
        parts.append(rng.choice(["p", "x", "zz", "nk", "lt"]))
    return "".join(str(part) for part in parts)


def _vivid(rng: np.random.Generator) -> Colour:
    """Choose a brand's colour: drinks are red, blue, green, orange and yellow before anything else."""
    hue = float(rng.choice([0.0, 0.62, 0.36, 0.08, 0.15, 0.55, 0.8, rng.random()])) + float(rng.normal(0, 0.025))
    return _from_hsv(hue, rng.uniform(0.6, 1.0), rng.uniform(0.35, 0.98))


def _from_hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _drink(
    rng: np.random.Generator, brand: _Brand, flavour: _Flavour, *, packaging: Packaging, form: Form, litres: float
) -> ProductDesign:
    taste = _nudged(rng, flavour.colour)
    ground, accent = _scheme(brand, taste)
    is_can = packaging in _CANS
    cap = _METAL if is_can else (taste, (240, 240, 240), (30, 30, 34), brand.colour)[brand.variant % 4]
    return ProductDesign(
        sku="",
        name=f"{brand.word} {flavour.name} {litres:g} l",
        brand=brand.word,
        flavour=flavour.name,
        manufacturer=brand.maker,
        is_foreign=brand.maker != _OWN_MAKER,
        packaging=packaging,
        style=brand.style,
        ground=ground,
        accent=accent,
        ink=_readable_on(ground, accent),
        cap=cap,
        contents=_METAL if is_can else ground if packaging is Packaging.CARTON else _nudged(rng, flavour.drink),
        variant=brand.variant,
        shape=form,
    )


def _nudged(rng: np.random.Generator, colour: Colour) -> Colour:
    red, green, blue = (int(np.clip(part + rng.integers(-14, 15), 4, 252)) for part in colour)
    return red, green, blue


def _scheme(brand: _Brand, taste: Colour) -> tuple[Colour, Colour]:
    """Return ground and accent: the flavour colours the ground, or the ornament on the brand's own ground."""
    if brand.scheme == 0:
        return taste, brand.colour
    if brand.scheme == 1:
        return brand.colour, taste
    if brand.scheme == 2:
        return (24, 24, 30), taste
    return (246, 246, 242), taste


def _luminance(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _readable_on(ground: Colour, accent: Colour) -> Colour:
    dark, light = (16, 22, 60), (252, 252, 248)
    if _luminance(ground) < 150:
        return light
    return accent if _luminance(accent) < 90 else dark


def _shape(rng: np.random.Generator, packaging: Packaging) -> tuple[Form, float]:
    """Vary a packaging's form; return it with its litres."""
    usual = FORMS[packaging]
    litres = int(rng.choice(_MILLILITRES[packaging])) / 1000
    size = (litres * 1000 / _MILLILITRES[packaging][min(1, len(_MILLILITRES[packaging]) - 1)]) ** (1 / 3)
    power = 1.0 if packaging in {*_CANS, Packaging.CARTON} else float(rng.uniform(0.85, 1.2))
    top, bottom = usual.label
    if packaging in _BOTTLES:
        top, bottom = top + rng.uniform(-0.05, 0.06), bottom + rng.uniform(-0.08, 0.10)
    tall = rng.uniform(0.95, 1.18)  # sleek cans and bottles beside the usual ones
    return replace(
        usual,
        width_mm=usual.width_mm * size * rng.uniform(0.92, 1.06) / tall**0.3,
        height_mm=usual.height_mm * size * tall,
        outline=tuple((float(row**power), half) for row, half in usual.outline),
        cap=(usual.cap[0] ** power, usual.cap[1] ** power),
        label=(float(top**power), float(min(bottom, 0.97) ** power)),
    ), litres
