"""The entities of this room, in the order in which they can be filled."""

from coldshelf.masterdata.entities.asset import ASSET
from coldshelf.masterdata.entities.asset_type import ASSET_TYPE
from coldshelf.masterdata.entities.brand import BRAND
from coldshelf.masterdata.entities.location import LOCATION
from coldshelf.masterdata.entities.manufacturer import MANUFACTURER
from coldshelf.masterdata.entities.planogram import PLANOGRAM
from coldshelf.masterdata.entities.product import PRODUCT
from coldshelf.masterdata.entities.smart_device import SMART_DEVICE

ENTITIES = (MANUFACTURER, BRAND, LOCATION, ASSET_TYPE, PRODUCT, PLANOGRAM, ASSET, SMART_DEVICE)
