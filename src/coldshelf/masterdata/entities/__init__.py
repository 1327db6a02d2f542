"""The entities of this room, in the order in which they can be filled."""

from coldshelf.masterdata.entities.asset import ASSET
from coldshelf.masterdata.entities.asset_type import ASSET_TYPE
from coldshelf.masterdata.entities.beverage_type import BEVERAGE_TYPE
from coldshelf.masterdata.entities.brand import BRAND
from coldshelf.masterdata.entities.channel import CHANNEL
from coldshelf.masterdata.entities.classification import CLASSIFICATION
from coldshelf.masterdata.entities.contact import CONTACT
from coldshelf.masterdata.entities.country import COUNTRY
from coldshelf.masterdata.entities.customer import CUSTOMER
from coldshelf.masterdata.entities.distributor import DISTRIBUTOR
from coldshelf.masterdata.entities.factory_asset import FACTORY_ASSET
from coldshelf.masterdata.entities.key_account import KEY_ACCOUNT
from coldshelf.masterdata.entities.location import LOCATION
from coldshelf.masterdata.entities.manufacturer import MANUFACTURER
from coldshelf.masterdata.entities.market import MARKET
from coldshelf.masterdata.entities.measurement_unit import MEASUREMENT_UNIT
from coldshelf.masterdata.entities.outlet_action import OUTLET_ACTION
from coldshelf.masterdata.entities.packaging_type import PACKAGING_TYPE
from coldshelf.masterdata.entities.planogram import PLANOGRAM
from coldshelf.masterdata.entities.product import PRODUCT
from coldshelf.masterdata.entities.product_category import PRODUCT_CATEGORY
from coldshelf.masterdata.entities.replenish_model import REPLENISH_MODEL
from coldshelf.masterdata.entities.route import ROUTE
from coldshelf.masterdata.entities.sales_rep import SALES_REP
from coldshelf.masterdata.entities.smart_device import SMART_DEVICE
from coldshelf.masterdata.entities.smart_device_type import SMART_DEVICE_TYPE
from coldshelf.masterdata.entities.state import STATE
from coldshelf.masterdata.entities.time_zone import TIME_ZONE
from coldshelf.masterdata.entities.user import USER

ENTITIES = (
    COUNTRY,
    STATE,
    TIME_ZONE,
    MARKET,
    CHANNEL,
    CLASSIFICATION,
    KEY_ACCOUNT,
    CUSTOMER,
    DISTRIBUTOR,
    ROUTE,
    PACKAGING_TYPE,
    MEASUREMENT_UNIT,
    PRODUCT_CATEGORY,
    BEVERAGE_TYPE,
    SMART_DEVICE_TYPE,
    REPLENISH_MODEL,
    MANUFACTURER,
    BRAND,
    USER,
    LOCATION,
    CONTACT,
    SALES_REP,
    OUTLET_ACTION,
    ASSET_TYPE,
    PRODUCT,
    PLANOGRAM,
    ASSET,
    SMART_DEVICE,
    FACTORY_ASSET,
)
