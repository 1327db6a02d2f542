"""Cooler pictures that we draw ourselves, with the truth about them, for the demo, tests and training.

Comes from: a description of what stands where, invented product designs; no picture of anybody else.
Goes to: the demo's uploads and reference pictures, tests of recognition, the preview of planograms.
"""

from coldshelf.pictures.rendering.designs import CATALOGUE, LabelStyle, Packaging, ProductDesign, design_of
from coldshelf.pictures.rendering.paint import Pixels, encode_jpeg
from coldshelf.pictures.rendering.planogram import PlannedProduct, render_planogram
from coldshelf.pictures.rendering.products import reference_pictures, render_product
from coldshelf.pictures.rendering.scene import RenderedScene, SceneSpec, TrueFacing, TrueGap, TrueShelf, render_scene

__all__ = [
    "CATALOGUE",
    "LabelStyle",
    "Packaging",
    "Pixels",
    "PlannedProduct",
    "ProductDesign",
    "RenderedScene",
    "SceneSpec",
    "TrueFacing",
    "TrueGap",
    "TrueShelf",
    "design_of",
    "encode_jpeg",
    "reference_pictures",
    "render_planogram",
    "render_product",
    "render_scene",
]
