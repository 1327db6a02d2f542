"""What the demo shows: products with reference pictures, outlets, coolers, planograms, pictures of them."""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from coldshelf.kit.errors import InputInvalid
from coldshelf.pictures.rendering import (
    CATALOGUE,
    ProductDesign,
    SceneSpec,
    encode_jpeg,
    reference_pictures,
    render_scene,
)

Rows = tuple[tuple[str | None, ...], ...]
"""SKUs of a cooler, shelves from the top, places from the left; None is a gap."""


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """A product; `pictures` gives the encoded reference pictures."""

    sku: str
    name: str
    brand: str
    manufacturer: str
    is_foreign: bool
    packaging: str
    pictures: Callable[[], list[bytes]]


@dataclass(frozen=True, slots=True)
class DemoCooler:
    """A cooler in an outlet; `plan` is None when it follows no planogram; `picture` gives an encoded picture."""

    serial_number: str
    imei: str
    store_number: str
    store_name: str
    city: str
    plan: Rows | None
    picture: Callable[[], bytes]
    file_name: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything that the demo uploads."""

    title: str
    products: tuple[DemoProduct, ...]
    coolers: tuple[DemoCooler, ...]


PLACES = (
    ("S-100", "Corner Market", "Springfield"),
    ("S-200", "Lakeside Grocer", "Riverton"),
    ("S-300", "Station Kiosk", "Fairview"),
)
NAMED = {
    "Market": ("Prairie", "Lakes"),
    "Channel": ("Grocery", "Convenience"),
    "Classification": ("Gold", "Silver"),
    "Distributor": ("Prairie Beverages",),
}
"""Rows of other entities to which outlets belong, by entity."""
BELONGS = {
    "S-100": {"MarketName": "Prairie", "Channel": "Grocery", "Classification": "Gold"},
    "S-200": {"MarketName": "Lakes", "Channel": "Grocery", "Classification": "Silver"},
    "S-300": {"MarketName": "Prairie", "Channel": "Convenience", "Classification": "Silver"},
}
"""What each outlet belongs to; all are in one state and have one distributor."""


def rendered_world(count: int = 12, seed: int = 7) -> World:
    """Make a world of coolers that the project draws itself."""
    choose = random.Random(seed)  # noqa: S311  # a picture, not a secret
    plans = [_plan(choose) for _ in range(3)]
    coolers = tuple(_rendered_cooler(number, plans, choose) for number in range(count))
    return World("rendered coolers", tuple(_designed(design) for design in CATALOGUE), coolers)


def sample_world(folder: Path) -> World:
    """Read a folder in the samples' format: `references.json`, `images/`, optional `planogram_cases.json`."""
    references = _read_json(folder / "references.json")["references"]
    truth = _read_json(folder / "ground_truth.json")
    by_sku: dict[str, list[dict[str, str]]] = {}
    for reference in references:
        by_sku.setdefault(reference["sku"], []).append(reference)
    products = tuple(_sampled(folder, sku, parts) for sku, parts in sorted(by_sku.items()))
    plans = _sample_plans(folder, {product.sku for product in products})
    images = [image["file"] for image in truth["images"]]
    coolers = tuple(_sample_cooler(folder, number, name, plans.get(name)) for number, name in enumerate(images))
    return World(folder.name, products, coolers)


def _plan(choose: random.Random) -> Rows:
    own = [design for design in CATALOGUE if not design.is_foreign]
    by_height: dict[str, list[ProductDesign]] = {}
    for design in own:
        by_height.setdefault(design.packaging.value, []).append(design)
    rows = []
    for packaging in choose.sample(sorted(by_height), k=min(4, len(by_height))):
        designs = by_height[packaging]
        row = [design.sku for design in designs for _ in range(choose.randint(2, 3))]
        rows.append(tuple((row * 3)[: choose.randint(7, 9)]))
    return tuple(rows)


def _rendered_cooler(number: int, plans: Sequence[Rows], choose: random.Random) -> DemoCooler:
    plan = plans[number % len(plans)]
    code, name, city = PLACES[number % len(PLACES)]
    rows = tuple(tuple(_disturbed(sku, choose) for sku in row if sku) for row in plan)
    spec = SceneSpec(
        rows=rows,
        seed=number,
        brightness=choose.uniform(0.85, 1.1),
        rotation_degrees=choose.uniform(-0.8, 0.8),
    )
    return DemoCooler(
        serial_number=f"DEMO-{number + 1:03d}",
        imei=f"35209900176{number:04d}",
        store_number=code,
        store_name=name,
        city=city,
        plan=plan,
        picture=partial(_drawn, spec),
        file_name=f"cooler_{number + 1:03d}.jpg",
    )


def _disturbed(sku: str, choose: random.Random) -> str | None:
    """Now and then a place is empty or another product stands there."""
    dice = choose.random()
    if dice < 0.10:
        return None
    if dice < 0.20:
        return choose.choice([design.sku for design in CATALOGUE if design.packaging == _design(sku).packaging])
    return sku


def _design(sku: str) -> ProductDesign:
    return next(design for design in CATALOGUE if design.sku == sku)


def _drawn(spec: SceneSpec) -> bytes:
    return encode_jpeg(render_scene(spec).image)


def _designed(design: ProductDesign) -> DemoProduct:
    return DemoProduct(
        sku=design.sku,
        name=design.name,
        brand=design.brand,
        manufacturer=design.manufacturer,
        is_foreign=design.is_foreign,
        packaging=design.packaging.value,
        pictures=lambda: [encode_jpeg(picture) for picture in reference_pictures(design)],
    )


def _sampled(folder: Path, sku: str, references: Sequence[dict[str, str]]) -> DemoProduct:
    files = [folder / reference["file"] for reference in references]
    return DemoProduct(
        sku=sku,
        name=sku,
        brand=references[0].get("brand", sku),
        manufacturer="Sample maker",
        is_foreign=False,
        packaging="",
        pictures=lambda: [file.read_bytes() for file in files],
    )


def _sample_plans(folder: Path, known: set[str]) -> dict[str, Rows]:
    """Take the first plan of each picture whose products are all known."""
    path = folder / "planogram_cases.json"
    plans: dict[str, Rows] = {}
    for case in _read_json(path)["cases"] if path.exists() else []:
        rows = tuple(tuple(row) for row in case["planogram_rows"])
        if all(sku in known for row in rows for sku in row):
            plans.setdefault(case["image"], rows)
    return plans


def _sample_cooler(folder: Path, number: int, name: str, plan: Rows | None) -> DemoCooler:
    code, store, city = PLACES[number % len(PLACES)]
    stem = Path(name).stem
    return DemoCooler(
        serial_number=f"SAMPLE-{stem}",
        imei=f"35209900276{number:04d}",
        store_number=code,
        store_name=store,
        city=city,
        plan=plan,
        picture=(folder / name).read_bytes,
        file_name=Path(name).name,
    )


def _read_json(path: Path) -> dict[str, list[dict[str, str]]]:
    try:
        return json.loads(path.read_text())  # type: ignore[no-any-return]  # the samples' published format
    except (OSError, json.JSONDecodeError) as error:
        raise InputInvalid(
            f"{path} cannot be read: {error}",
            cure="The folder needs images/, references.json and ground_truth.json.",
        ) from error
