"""Scenes: what a picture shows, and whether products are analysed in it (contract 2.1). The list is open."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """A kind of picture. `needs_asset`: without a cooler the upload is refused or waits for review."""

    name: str
    is_analysed: bool
    needs_asset: bool
    meaning: str


SCENES = (
    Scene("ProductAnalysis", is_analysed=True, needs_asset=True, meaning="Asset image for product analysis"),
    Scene("POS", is_analysed=False, needs_asset=False, meaning="Point of sale"),
    Scene("AssetBarcode", is_analysed=False, needs_asset=True, meaning="Barcode of the asset"),
    Scene("AssetView", is_analysed=False, needs_asset=True, meaning="Outside of the asset"),
    Scene("StoreView", is_analysed=False, needs_asset=False, meaning="Outside of the store"),
    Scene("Promotion", is_analysed=False, needs_asset=False, meaning="Promotional content"),
)
DEFAULT_SCENE = SCENES[0]


def scene_named(name: str) -> Scene | None:
    """Find a scene in any letter case; None when no such scene is declared."""
    return next((scene for scene in SCENES if scene.name.lower() == name.lower()), None)


def is_analysed(name: str) -> bool:
    """Say whether products are analysed in pictures of this scene; in those of an unknown one they are not."""
    scene = scene_named(name)
    return scene is not None and scene.is_analysed
