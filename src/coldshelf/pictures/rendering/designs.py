"""The drinks of the renderer: invented brands, so that what the project ships belongs to nobody else."""

from dataclasses import dataclass
from enum import StrEnum

from coldshelf.pictures.rendering.paint import Colour


class Packaging(StrEnum):
    CAN = "can"
    SLIM_CAN = "slim_can"
    PET = "pet"
    WIDE_PET = "wide_pet"
    GLASS = "glass"
    CARTON = "carton"


class LabelStyle(StrEnum):
    BANDS = "bands"
    BURST = "burst"
    CHEVRONS = "chevrons"
    DIAGONAL = "diagonal"
    DROPS = "drops"
    EMBLEM = "emblem"
    LEAVES = "leaves"
    PEAKS = "peaks"
    STRIPES = "stripes"
    WAVE = "wave"


@dataclass(frozen=True, slots=True)
class Form:
    """A packaging as a body of revolution (or a box): rows are shares of the height, from the top.

    `outline` is (row, half width as a share of the largest half width). Outside of cap and label the contents show,
    on cans the metal.
    """

    width_mm: float
    height_mm: float
    outline: tuple[tuple[float, float], ...]
    cap: tuple[float, float]
    label: tuple[float, float]
    gloss: float
    is_box: bool = False


FORMS = {
    Packaging.CAN: Form(
        width_mm=66,
        height_mm=115,
        outline=((0, 0.84), (0.02, 0.84), (0.03, 0.81), (0.10, 1), (0.94, 1), (0.985, 0.86), (1, 0.82)),
        cap=(0, 0.035),
        label=(0.045, 0.965),
        gloss=0.55,
    ),
    Packaging.SLIM_CAN: Form(
        width_mm=53,
        height_mm=135,
        outline=((0, 0.88), (0.018, 0.88), (0.025, 0.85), (0.075, 1), (0.95, 1), (0.988, 0.87), (1, 0.83)),
        cap=(0, 0.028),
        label=(0.035, 0.97),
        gloss=0.55,
    ),
    Packaging.PET: Form(
        width_mm=65,
        height_mm=222,
        outline=(
            (0, 0.42),
            (0.012, 0.44),
            (0.075, 0.44),
            (0.08, 0.40),
            (0.105, 0.41),
            (0.16, 0.55),
            (0.25, 0.88),
            (0.32, 1),
            (0.39, 1),
            (0.405, 0.97),
            (0.69, 0.97),
            (0.705, 1),
            (0.80, 0.93),
            (0.90, 1),
            (0.97, 0.97),
            (1, 0.80),
        ),
        cap=(0, 0.076),
        label=(0.40, 0.70),
        gloss=0.45,
    ),
    Packaging.WIDE_PET: Form(
        width_mm=70,
        height_mm=190,
        outline=(
            (0, 0.46),
            (0.012, 0.50),
            (0.085, 0.50),
            (0.09, 0.45),
            (0.12, 0.47),
            (0.20, 0.88),
            (0.27, 1),
            (0.88, 1),
            (0.97, 0.95),
            (1, 0.82),
        ),
        cap=(0, 0.087),
        label=(0.27, 0.88),
        gloss=0.35,
    ),
    Packaging.GLASS: Form(
        width_mm=61,
        height_mm=232,
        outline=(
            (0, 0.42),
            (0.02, 0.44),
            (0.04, 0.45),
            (0.043, 0.39),
            (0.08, 0.38),
            (0.30, 0.45),
            (0.38, 0.62),
            (0.47, 0.95),
            (0.52, 1),
            (0.96, 1),
            (0.985, 0.97),
            (1, 0.88),
        ),
        cap=(0, 0.042),
        label=(0.56, 0.90),
        gloss=0.6,
    ),
    Packaging.CARTON: Form(
        width_mm=72,
        height_mm=178,
        outline=((0, 0.24), (0.008, 0.27), (0.065, 0.27), (0.0655, 1), (1, 1)),
        cap=(0, 0.065),
        label=(0.066, 1),
        gloss=0.08,
        is_box=True,
    ),
}


@dataclass(frozen=True, slots=True)
class ProductDesign:
    """A drink and how it looks.

    `contents` shows where the label does not (on cans the metal); the label is drawn in `ground`, `accent` and `ink`.
    A `variant` above 0 chooses further ornaments and another lettering; `shape` replaces the packaging's usual form.
    """

    sku: str
    name: str
    brand: str
    flavour: str
    manufacturer: str
    is_foreign: bool
    packaging: Packaging
    style: LabelStyle
    ground: Colour
    accent: Colour
    ink: Colour
    cap: Colour
    contents: Colour
    variant: int = 0
    shape: Form | None = None

    @property
    def form(self) -> Form:
        return self.shape or FORMS[self.packaging]


_METAL: Colour = (196, 200, 206)
_COLA: Colour = (58, 28, 18)
_WHITE: Colour = (250, 250, 248)
_NAVY: Colour = (18, 34, 96)
_MINT: Colour = (74, 226, 178)
_CRIMSON: Colour = (176, 16, 34)
_CREAM: Colour = (250, 234, 200)


def _own(sku: str, name: str, *, packaging: Packaging, style: LabelStyle, colours: tuple[Colour, ...]) -> ProductDesign:
    return _design(sku, name, "Northpier Beverages", packaging=packaging, style=style, colours=colours)


def _design(
    sku: str, name: str, manufacturer: str, *, packaging: Packaging, style: LabelStyle, colours: tuple[Colour, ...]
) -> ProductDesign:
    """Build a design; `colours` are ground, accent, ink, cap and contents."""
    ground, accent, ink, cap, contents = colours
    brand, *rest = name.split(" ")
    flavour = " ".join(word for word in rest if not word[0].isdigit() and word != "l")
    return ProductDesign(
        sku=sku,
        name=name,
        brand=brand,
        flavour=flavour,
        manufacturer=manufacturer,
        is_foreign=manufacturer != "Northpier Beverages",
        packaging=packaging,
        style=style,
        ground=ground,
        accent=accent,
        ink=ink,
        cap=cap,
        contents=contents,
    )


_OWN = (
    _own(
        "NP-1001",
        "Boreal Cola 0.33 l",
        packaging=Packaging.CAN,
        style=LabelStyle.WAVE,
        colours=(_NAVY, _MINT, _WHITE, _METAL, _METAL),
    ),
    _own(
        "NP-1002",
        "Boreal Zero 0.33 l",
        packaging=Packaging.CAN,
        style=LabelStyle.WAVE,
        colours=((24, 24, 28), (240, 64, 130), _WHITE, _METAL, _METAL),
    ),
    _own(
        "NP-1003",
        "Boreal Cola 0.5 l",
        packaging=Packaging.PET,
        style=LabelStyle.WAVE,
        colours=(_NAVY, _MINT, _WHITE, _MINT, _COLA),
    ),
    _own(
        "NP-1101",
        "Lumen Lemon 0.33 l",
        packaging=Packaging.CAN,
        style=LabelStyle.BURST,
        colours=((250, 214, 30), (255, 240, 130), (12, 104, 52), _METAL, _METAL),
    ),
    _own(
        "NP-1102",
        "Lumen Orange 0.33 l",
        packaging=Packaging.CAN,
        style=LabelStyle.BURST,
        colours=((240, 110, 14), (255, 162, 48), _WHITE, _METAL, _METAL),
    ),
    _own(
        "NP-1103",
        "Lumen Lemon 0.5 l",
        packaging=Packaging.PET,
        style=LabelStyle.BURST,
        colours=((20, 140, 66), (110, 196, 70), (255, 240, 90), (250, 214, 30), (196, 216, 110)),
    ),
    _own(
        "NP-1201",
        "Fjelda Still 0.5 l",
        packaging=Packaging.PET,
        style=LabelStyle.PEAKS,
        colours=(_WHITE, (60, 150, 214), (12, 66, 140), (24, 92, 178), (176, 208, 226)),
    ),
    _own(
        "NP-1202",
        "Fjelda Sparkling 0.33 l",
        packaging=Packaging.GLASS,
        style=LabelStyle.PEAKS,
        colours=((226, 240, 236), (26, 110, 92), (8, 66, 60), (206, 208, 210), (34, 112, 74)),
    ),
    _own(
        "NP-1301",
        "Teavolo Peach 0.45 l",
        packaging=Packaging.WIDE_PET,
        style=LabelStyle.LEAVES,
        colours=((255, 226, 190), (244, 140, 78), (150, 50, 22), (244, 140, 78), (176, 88, 26)),
    ),
    _own(
        "NP-1302",
        "Teavolo Green 0.45 l",
        packaging=Packaging.WIDE_PET,
        style=LabelStyle.LEAVES,
        colours=((18, 42, 30), (92, 184, 60), (236, 246, 206), (40, 40, 40), (140, 130, 40)),
    ),
    _own(
        "NP-1401",
        "Kwikra Energy 0.25 l",
        packaging=Packaging.SLIM_CAN,
        style=LabelStyle.DIAGONAL,
        colours=((30, 32, 40), (226, 30, 38), _WHITE, _METAL, _METAL),
    ),
    _own(
        "NP-1402",
        "Kwikra Ice 0.25 l",
        packaging=Packaging.SLIM_CAN,
        style=LabelStyle.DIAGONAL,
        colours=((214, 240, 248), (34, 170, 214), (16, 44, 92), _METAL, _METAL),
    ),
    _own(
        "NP-1501",
        "Ombrosa Apple 0.5 l",
        packaging=Packaging.CARTON,
        style=LabelStyle.DROPS,
        colours=((120, 186, 52), (222, 240, 150), _WHITE, _WHITE, (120, 186, 52)),
    ),
    _own(
        "NP-1502",
        "Ombrosa Cherry 0.5 l",
        packaging=Packaging.CARTON,
        style=LabelStyle.DROPS,
        colours=((126, 14, 58), (240, 96, 140), _WHITE, (240, 96, 140), (126, 14, 58)),
    ),
)
_FOREIGN = (
    _design(
        "HX-2001",
        "Rundo Cola 0.33 l",
        "Halvex Drinks",
        packaging=Packaging.CAN,
        style=LabelStyle.EMBLEM,
        colours=(_CRIMSON, _CREAM, _CRIMSON, _METAL, _METAL),
    ),
    _design(
        "HX-2002",
        "Rundo Cola 0.5 l",
        "Halvex Drinks",
        packaging=Packaging.PET,
        style=LabelStyle.EMBLEM,
        colours=(_CRIMSON, _CREAM, _CRIMSON, _CRIMSON, _COLA),
    ),
    _design(
        "HX-2101",
        "Pomli Apple 0.33 l",
        "Halvex Drinks",
        packaging=Packaging.GLASS,
        style=LabelStyle.BANDS,
        colours=(_CREAM, (196, 40, 30), (60, 110, 30), (196, 40, 30), (214, 164, 54)),
    ),
    _design(
        "MW-3001",
        "Mirwa Water 0.5 l",
        "Mirwa Springs",
        packaging=Packaging.PET,
        style=LabelStyle.BANDS,
        colours=((206, 70, 160), (250, 210, 236), _WHITE, (206, 70, 160), (196, 220, 232)),
    ),
    _design(
        "BX-4001",
        "Brixo Energy 0.25 l",
        "Brixo Trading",
        packaging=Packaging.SLIM_CAN,
        style=LabelStyle.CHEVRONS,
        colours=((84, 30, 140), (182, 240, 40), _WHITE, (40, 40, 44), _METAL),
    ),
    _design(
        "HK-5001",
        "Hopkell Malt 0.33 l",
        "Hopkell Brothers",
        packaging=Packaging.GLASS,
        style=LabelStyle.STRIPES,
        colours=((226, 178, 60), (150, 100, 20), (60, 24, 8), (226, 178, 60), (72, 36, 14)),
    ),
)

CATALOGUE: tuple[ProductDesign, ...] = _OWN + _FOREIGN


def design_of(sku: str, catalogue: tuple[ProductDesign, ...] = CATALOGUE) -> ProductDesign:
    for design in catalogue:
        if design.sku == sku:
            return design
    raise LookupError(f"No product design has the SKU {sku!r}. Known: {', '.join(each.sku for each in catalogue)}.")
