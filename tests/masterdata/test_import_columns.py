"""The contract's column tables (5.3, 5.4), each rule with a good and a bad value, by both spellings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from coldshelf.entrypoints.bootstrap import imports
from coldshelf.masterdata import imports as masterdata_imports
from coldshelf.masterdata.imports import IMPORTS
from coldshelf.records.imports.declaration import ImportType
from tests.masterdata.import_support import Importer, as_json
from tests.records.support import Json

# column, alias, required, rule: a number is the longest text, a range that of a number, else what the cell holds.
ASSET = """
Serial Number|SerialNumber|yes|250
Asset Type|AssetType|yes|exists
Parent Asset Serial Number|ParentAssetSerialNumber|no|exists
Outlet Code|LocationCode|no|exists
Notes|AssetNotes|no|500
Tag Number|TagNumber|no|250
Category|AssetCategory|no|200
In Store Location|InStoreLocation|no|200
Point of Sale|PointOfSale|no|200
Latitude||no|-90..90
Longitude||no|-180..180
Displacement Threshold|DisplacementThreshold|no|0..
Planogram|PlanogramName|no|exists
Manufacturing Date|ManufacturingDate|no|date
Asset Delivered by Date|CoolerDeliveryDate|no|date
Asset Delivered Date|DateDelivered|no|date
Installation Status|InstallationStatus|no|200
External Code|ExternalAssetCode|no|150
"""
ASSET_TYPE = """
Asset Type|AssetType|yes|100
Model Number|ModelNumber|yes|270
Manufacturer||yes|300
Orientation Type|ChestCoolerType|yes|Horizontal,Vertical
Door Handle Location|DoorHandleLocationType|yes|Left,Right,Magnet,Shelf,Under Shelf
No. Of Doors|Doors|no|0..
Shelves||no|0..
Columns||no|0..
Life||no|0..
Warranty||no|0..
Cabinet Height|CabinetHeight|no|decimal
Cabinet Width|CabinetWidth|no|decimal
Temperature Offset|TemperatureOffset|no|-5..5
External Code|ExternalAssetTypeCode|no|200
"""
USER = """
First Name|FirstName|yes|150
Last Name|LastName|yes|150
Email|PrimaryEmail|yes|email
Phone|PrimaryPhone|yes|150
Role||yes|Client Admin,Installer,Sales Rep
Employer|EmployerName|no|150
Market|MarketName|no|150
Key Account|KeyAccountName|no|exists
Classification|ClassificationName|no|exists
Distributor|DistributorName|no|exists
Preferred Notification Type||no|150
"""
OUTLET_ACTION = """
Outlet Code|Code|yes|exists
Outlet Action|OutletAction|yes|200
Assigned To User|AssignedToUser|no|user
Planned Date|PlannedDate|no|date
Completion Date|CompletionDate|no|date
"""
FACTORY_ASSET = """
Asset serial number|AssetSerialNumber|yes|200
Asset Type|AssetType|yes|exists
Smart Device serial|SmartDeviceSerialNumber|yes|200
Outlet Code|LocationCode|no|exists
Tag Number|TagNumber|no|200
"""
PLANOGRAM = """
Replenish Model|ReplenishModel|no|exists
Planogram Name|PlanogramName|no|200
Asset Serial Number|AssetSerialNumber|no|exists
Product SKU|ProductSKU|yes|exists
Shelf/Priority|ProductRanking|yes|1..50
Product Stack Size|ProductStackSize|no|1..5
External Code|ExternalPlanogramCode|no|200
"""
OUTLET = """
Code|Outlet Code|yes|250
Name|Outlet|yes|250
Street||yes|150
Street2||no|150
Street3||no|150
City||no|50
State||no|exists
Postal Code|PostalCode|no|12
Country||no|exists
Latitude||no|-90..90
Longitude||no|-180..180
TimeZone||no|exists
Store Owner|StoreOwner|no|200
Active|IsActive|no|yes-no
IsKeyOutlet|Key?|no|yes-no
Market||no|150
Channel||no|150
Asset Name|AssetName|no|
Asset Type|AssetType|no|
Asset Manufacturer|AssetManufacturer|no|exists
Classification|ClassificationName|no|150
Sub Channel|SubChannel|no|150
Outlet Type|OutletType|no|150
Key Account|KeyAccountName|no|exists
Customer|CustomerName|no|exists
Distributor|DistributorName|no|150
Route|LocationRoute|no|150
Pre-Seller Route|PreSellerRoute|no|exists
TDLinx||no|150
Buyer GTIN|BuyerGTIN|no|150
Outlet GTIN|OutletGTIN|no|150
External Code|ExternalLocationCode|no|150
Phone|PrimaryPhone|no|15
Mobile|PrimaryMobile|no|15
Email|PrimaryEmail|no|email
Contact Name|ContactName|no|200
Contact Email|ContactEmail|no|
Contact Phone|ContactPhone|no|
Contact Notification Type|ContactNotificationType|no|
Sales Rep Email|SalesRepEmail|no|user
Sales Rep First Name|SalesRepFirstName|no|200
Sales Rep Last Name|SalesRepLastName|no|200
Sales Rep Phone|SalesRepPhone|no|200
Sales Rep Role|SalesRepRole|no|200
Primary Sales Rep|PrimarySalesRep|no|yes-no
Sales Rep Name|LocationSalesRep|no|200
Asset Model Number|AssetModelNumber|no|
Asset Tag Number|AssetTagNumber|no|
Asset External Code|AssetExternalCode|no|
Asset Planogram|AssetPlanogram|no|
Asset In Store Location|AssetInStoreLocation|no|
Asset Notes|AssetNotes|no|
Smart Device Serial|SmartDeviceSerialNumber|no|
Smart Device Type|SmartDeviceType|no|
Smart Device IMEI|SmartDeviceIMEI|no|
Smart Device Mac Address|SmartDeviceMacAddress|no|
Suggested Ordering Paused|IsOrderingPaused|no|yes-no
Notes|DirectionNotes|no|4000
"""
PRODUCT = """
Product||yes|200
SKU||yes|200
Packaging Type|PackagingType|yes|200
Measurement Unit|MeasurementUnit|yes|200
Short Name|ShortName|yes|200
Brand|BrandName|no|100
Manufacturer Name|Manufacturer|no|200
Product Type|BeverageType|no|200
Product Category|ProductCategory|no|120
Product Category 2|ProductSecondCategory|no|200
Country||no|exists
State||no|exists
UPC||no|200
Short EAN Code|ShortEANCode|no|200
Product GTIN|ProductGTIN|no|200
Distributor GTIN|DistributorGTIN|no|200
Distributor|DistributorName|no|150
Product Group|ProductGroup|no|200
Flavour|FlavourName|no|200
Serving Type|ServingType|no|200
Sales Unit|SalesUnit|no|200
Case Size|CaseSize|no|0..
Case Price|CasePrice|no|0..
Currency|CurrencyCode|no|3
Cases per facing|CasesPerFacing|no|0..
Height||no|0..
Width||no|0..
Foreign|IsForeign|no|yes-no
Active|IsActive|no|yes-no
External Code|ExternalProductCode|no|200
"""
TABLES = {
    "Asset": ASSET,
    "AssetType": ASSET_TYPE,
    "User": USER,
    "ImportOutletAction": OUTLET_ACTION,
    "FactoryAsset": FACTORY_ASSET,
    "Planogram": PLANOGRAM,
    "Outlet": OUTLET,
    "Product": PRODUCT,
}
GOOD_ROWS: dict[str, dict[str, object]] = {
    "Asset": {"Serial Number": "SN-1", "Asset Type": "Acme 500"},
    "AssetType": {
        "Asset Type": "Acme 600",
        "Model Number": "600",
        "Manufacturer": "Acme",
        "Orientation Type": "Vertical",
        "Door Handle Location": "Left",
    },
    "User": {
        "First Name": "Ann",
        "Last Name": "Lee",
        "Email": "ann.lee@example.org",
        "Phone": "555",
        "Role": "Sales Rep",
    },
    "ImportOutletAction": {"Outlet Code": "OUT-1", "Outlet Action": "Refill"},
    "FactoryAsset": {"Asset serial number": "F-1", "Asset Type": "Acme 500", "Smart Device serial": "CAM-1"},
    "Planogram": {"Planogram Name": "Summer", "Product SKU": "FZ-1", "Shelf/Priority": 1},
    "Outlet": {"Code": "OUT-2", "Name": "Corner", "Street": "1 Main Street"},
    "Product": {
        "Product": "Fizz Lime",
        "SKU": "FZ-2",
        "Packaging Type": "Can",
        "Measurement Unit": "ml",
        "Short Name": "Lime",
    },
}
TOGETHER = {
    "State": {"Country": "United States"},
    "Brand": {"Manufacturer Name": "Acme"},
    "Manufacturer Name": {"Brand": "B"},
}
"""Cells that a column needs beside it."""
EXISTING = {
    "Asset Type": "ACME 500",
    "Parent Asset Serial Number": "vault-1",
    "Asset Serial Number": "Vault-1",
    "Outlet Code": "out-1",
    "Planogram": "plan-1",
    "Replenish Model": "daily",
    "Product SKU": "fz-1",
    "State": "California",
    "Country": "United States",
    "TimeZone": "Pacific Standard Time",
    "Asset Manufacturer": "acme",
    "Key Account": "key",
    "Customer": "customer",
    "Pre-Seller Route": "route",
    "Classification": "gold",
    "Distributor": "dist",
}
"""Names of records that are there before, in another letter case."""


@dataclass(frozen=True)
class Column:
    kind: str
    name: str
    alias: str
    required: bool
    rule: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


def _columns() -> Iterator[Column]:
    for kind, table in TABLES.items():
        for line in table.strip().splitlines():
            name, alias, required, rule = line.split("|")
            yield Column(kind, name, alias, required == "yes", rule)


COLUMNS = list(_columns())


def good_values(column: Column) -> list[object]:
    rule = column.rule
    if ".." in rule:
        return [value for value in rule.split("..") if value] or ["1"]
    if rule.isdigit():
        return ["x" * int(rule)]
    named: dict[str, list[object]] = {
        "": [],
        "exists": [EXISTING.get(column.name, "")],
        "date": ["2026-03-17", "03/17/2026"],
        "decimal": ["12.5"],
        "email": ["Someone.Else@Example.org"],
        "user": ["REP@example.org"],
        "yes-no": ["Yes", "no"],
    }
    return named[rule] if rule in named else [choice.upper() for choice in rule.split(",")]


def bad_values(column: Column) -> list[object]:
    rule = column.rule
    if ".." in rule:
        low, high = rule.split("..")
        return ["abc", "1,000", str(int(low) - 1), *([str(int(high) + 1)] if high else [])]
    if rule.isdigit():
        return ["x" * (int(rule) + 1)]
    named: dict[str, list[object]] = {
        "": [],
        "exists": ["no such thing"],
        "date": ["17.03.2026", "2026-02-30", "13/01/2026"],
        "decimal": ["1,5"],
        "email": ["nobody", "a@b"],
        "user": ["nobody", "nobody@example.org"],
        "yes-no": ["maybe"],
    }
    return named.get(rule, ["neither"])


async def _world(admin: httpx.AsyncClient) -> None:
    """Add what the columns refer to."""
    for path in (
        "Manufacturer.ashx?action=save&Name=Acme",
        "AssetType.ashx?action=save&Name=Acme 500",
        "Location.ashx?action=save&Code=OUT-1&Name=First",
        "Product.ashx?action=save&SKU=FZ-1&Name=Fizz&ShortName=Fizz",
        "Planogram.ashx?action=save&PlanogramName=Plan-1",
        "ReplenishModel.ashx?action=save&Name=Daily",
        "Asset.ashx?action=save&SerialNumber=VAULT-1&AssetType=Acme 500",
        "KeyAccount.ashx?action=save&Name=Key",
        "Customer.ashx?action=save&Name=Customer",
        "Route.ashx?action=save&Name=Route",
        "Classification.ashx?action=save&Name=Gold",
        "Distributor.ashx?action=save&Name=Dist",
        "User.ashx?action=save&FirstName=R&LastName=R&PrimaryEmail=rep@example.org&Role=Sales Rep",
    ):
        answer = (await admin.post(f"/controllers/{path}")).json()
        assert answer["success"], answer


def test_every_type_has_the_columns_of_the_contract() -> None:
    declared = [
        Column(kind.name, column.name, column.alias, column.required, "") for kind in IMPORTS for column in kind.columns
    ]

    wanted = [Column(each.kind, each.name, each.alias, each.required, "") for each in COLUMNS]

    assert sorted(declared, key=str) == sorted(wanted, key=str)
    assert {kind.name: len(kind.columns) for kind in IMPORTS} == {
        "Outlet": 58, "Planogram": 7, "Product": 30, "User": 11, "Asset": 18, "AssetType": 14,
        "ImportOutletAction": 5, "FactoryAsset": 5,
    }  # fmt: skip


def _row(column: Column, value: object, *, by_alias: bool = False) -> dict[str, object]:
    row = {**GOOD_ROWS[column.kind], **TOGETHER.get(column.name, {}), column.name: value}
    if not by_alias:
        return {name.upper(): cell for name, cell in row.items()}
    alias = {each.name: each.alias or each.name for each in COLUMNS if each.kind == column.kind}
    return {alias[name]: cell for name, cell in row.items()}


def _of(errors: list[Mapping[str, object]], column: str) -> list[str]:
    return [str(item["message"]) for item in errors if item["column"] == column]


@pytest.mark.parametrize("kind", TABLES)
async def test_each_rule_takes_the_good_value_by_both_spellings_and_refuses_the_bad_one(
    admin: httpx.AsyncClient, kind: str
) -> None:
    await _world(admin)
    importer = Importer(admin, kind)

    async def check(column: Column, value: object, *, by_alias: bool) -> Json:
        return await importer.file(as_json([_row(column, value, by_alias=by_alias)]), "file.json", check=1)

    for column in (column for column in COLUMNS if column.kind == kind):
        for value in good_values(column):
            by_name = await check(column, value, by_alias=False)
            by_alias = await check(column, value, by_alias=True)
            assert (by_name["errors"], by_name["warnings"]) == ([], []), (column.name, value)
            assert by_alias == by_name
        for value in bad_values(column):
            refused = await check(column, value, by_alias=False)
            assert len(_of(refused["errors"], column.name)) == 1, (column.name, value, refused)
            assert refused["errorCount"] == 1
        if column.required:
            missing = await check(column, "", by_alias=False)
            assert _of(missing["errors"], column.name) == [f"Missing required field: {column.name}"]
            assert missing["errors"][0]["row"] == 2


def test_every_file_of_import_types_is_registered() -> None:
    folder = Path(masterdata_imports.__file__).parent

    files = {path.stem for path in folder.glob("[a-z]*.py")}

    declared = {
        name
        for name, module in vars(masterdata_imports).items()
        if name in files and any(value in IMPORTS for value in vars(module).values() if isinstance(value, ImportType))
    }
    assert declared == files


def test_every_problem_comes_with_its_rule() -> None:
    for kind in imports():
        for rules in kind.columns:
            assert rules.words
