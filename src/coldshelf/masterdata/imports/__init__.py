"""What can be imported, in the order of import that the contract states (5.2)."""

from coldshelf.masterdata.imports.asset import ASSETS
from coldshelf.masterdata.imports.asset_type import ASSET_TYPES
from coldshelf.masterdata.imports.factory_asset import FACTORY_ASSETS
from coldshelf.masterdata.imports.outlet import OUTLETS
from coldshelf.masterdata.imports.outlet_action import OUTLET_ACTIONS
from coldshelf.masterdata.imports.planogram import PLANOGRAMS
from coldshelf.masterdata.imports.product import PRODUCTS
from coldshelf.masterdata.imports.user import USERS

IMPORTS = (ASSET_TYPES, USERS, OUTLETS, ASSETS, PRODUCTS, PLANOGRAMS, OUTLET_ACTIONS, FACTORY_ASSETS)
