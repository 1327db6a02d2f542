"""Markets and the markets above them."""

from coldshelf.masterdata.naming import named_fields, named_keys
from coldshelf.records.entity import Entity, Reference

MARKET = Entity(
    name="Market",
    table="market",
    meaning="Market: a sales area, within another one or at the top",
    fields=named_fields("Market"),
    references=(
        Reference(
            wire="ParentMarketId",
            to="Market",
            by={"ParentMarketName": "Name", "ParentMarket": "Name", "ParentMarketCode": "Code"},
            shows={"ParentMarketName": "name"},
            meaning="Market that it is a part of",
        ),
    ),
    keys=named_keys("Market"),
    client_wide="Markets hold many outlets.",
    handlers=("MarketHierarchy",),
)
