"""Closed sets of master data."""

from enum import StrEnum


class PlanogramUse(StrEnum):
    """What a planogram is held against pictures for (contract 5.1: three uses).

    `LAYOUT`: each place wants its product. `CATEGORY`: each place wants any product of its product's category.
    `PRIORITY` (a Priorogram, contract 6.4): products wanted anywhere in the cooler; the elements of FacingDetails are
    priorities, the highest first.
    """

    LAYOUT = "Layout"
    CATEGORY = "Category"
    PRIORITY = "Priority"


GRANT_DIMENSIONS = ("outlet", "market", "channel", "distributor")
"""By what a limit lets outlets through; the migration expands each. A market comes with its sub-markets."""
