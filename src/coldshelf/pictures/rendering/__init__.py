"""Cooler pictures that we draw ourselves, with the truth about them, for the demo, tests and training.

Comes from: a description of what stands where, invented product designs; no picture of anybody else.
Goes to: the demo's uploads and reference pictures, tests of recognition, the preview of planograms.
"""

from coldshelf.pictures.rendering.cooler import Column, Cooler, CoolerKind, Look, StockedShelf
from coldshelf.pictures.rendering.cooler_scene import CoolerSpec, render_cooler
from coldshelf.pictures.rendering.data_folder import FolderSpec, write_folder
from coldshelf.pictures.rendering.designs import CATALOGUE, LabelStyle, Packaging, ProductDesign, design_of
from coldshelf.pictures.rendering.film import Film
from coldshelf.pictures.rendering.generator import generate_designs
from coldshelf.pictures.rendering.paint import Pixels, encode_jpeg
from coldshelf.pictures.rendering.planogram import PlannedProduct, render_planogram
from coldshelf.pictures.rendering.products import reference_pictures, render_product
from coldshelf.pictures.rendering.sampler import random_scenes, random_spec
from coldshelf.pictures.rendering.scene import SceneSpec, render_scene
from coldshelf.pictures.rendering.truth import RenderedScene, TrueFacing, TrueGap, TrueShelf
from coldshelf.pictures.rendering.two_cameras import TwoCameraScene, two_camera_scene
from coldshelf.pictures.rendering.viewpoint import Framing

__all__ = [
    "CATALOGUE",
    "Column",
    "Cooler",
    "CoolerKind",
    "CoolerSpec",
    "Film",
    "FolderSpec",
    "Framing",
    "LabelStyle",
    "Look",
    "Packaging",
    "Pixels",
    "PlannedProduct",
    "ProductDesign",
    "RenderedScene",
    "SceneSpec",
    "StockedShelf",
    "TrueFacing",
    "TrueGap",
    "TrueShelf",
    "TwoCameraScene",
    "design_of",
    "encode_jpeg",
    "generate_designs",
    "random_scenes",
    "random_spec",
    "reference_pictures",
    "render_cooler",
    "render_planogram",
    "render_product",
    "render_scene",
    "two_camera_scene",
    "write_folder",
]
