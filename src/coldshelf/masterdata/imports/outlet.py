"""Outlets with their assets, contacts, sales reps and devices (contract 5.4, 58 columns).

Several rows with the same code and different asset names make one outlet with several assets.
"""

from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Operation, Part

ADDED = "Added where there is none of this name"


def _text(name: str, alias: str, sets: str, *, part: str = "", example: str = "", note: str = "") -> ImportColumn:
    return ImportColumn(name=name, alias=alias, part=part, sets=sets, example=example, note=note)


def _named(name: str, alias: str, sets: str, *, creates: bool = False, example: str = "") -> ImportColumn:
    return ImportColumn(
        name=name,
        alias=alias,
        sets=sets,
        creates=creates,
        max_length=150,
        example=example,
        rule="" if creates else "must exist",
        note=ADDED if creates else "",
    )


def _code(name: str, alias: str, sets: str) -> ImportColumn:
    return ImportColumn(name=name, alias=alias, sets=sets, max_length=150)


def _yes_no(name: str, alias: str, sets: str, note: str = "", example: str = "") -> ImportColumn:
    return ImportColumn(name=name, alias=alias, sets=sets, type=CellType.BOOLEAN, note=note, example=example)


def _email(name: str, alias: str, sets: str, part: str = "") -> ImportColumn:
    return ImportColumn(name=name, alias=alias, part=part, sets=sets, type=CellType.EMAIL)


def _told(name: str, alias: str) -> ImportColumn:
    return ImportColumn(name=name, alias=alias, max_length=200, note="For people: the record of the user counts")


OUTLETS = ImportType(
    name="Outlet",
    title="Outlets",
    main="outlet",
    parts=(
        Part(name="outlet", entity="Location", keys=(("Code",), ("ExternalLocationCode",)), repeats=True),
        Part(
            name="contact",
            entity="Contact",
            keys=(("Name", "LocationId"),),
            links={"LocationId": "outlet"},
            repeats=True,
        ),
        Part(
            name="rep",
            entity="SalesRep",
            keys=(("UserId", "LocationId"),),
            operation=Operation.ADD,
            links={"LocationId": "outlet"},
            repeats=True,
        ),
        Part(
            name="primary",
            entity="Location",
            keys=(),
            operation=Operation.CHANGE,
            when="Primary Sales Rep",
            same="outlet",
        ),
        Part(
            name="asset",
            entity="Asset",
            keys=(("SerialNumber",), ("ExternalAssetCode",)),
            links={"LocationId": "outlet"},
            repeats=True,
        ),
        Part(name="device", entity="SmartDevice", keys=(("SerialNumber",),), links={"AssetId": "asset"}),
    ),
    note="Repeat the code on several rows with different asset names: one outlet with several assets.",
    columns=(
        ImportColumn(
            name="Code",
            alias="Outlet Code",
            sets="Code",
            required=True,
            example="OUT-001",
            note="Finds the outlet",
        ),
        ImportColumn(name="Name", alias="Outlet", sets="Name", required=True, example="Corner Store"),
        ImportColumn(name="Street", sets="Street", required=True, example="1 Main Street"),
        _text("Street2", "", "Street2"),
        _text("Street3", "", "Street3"),
        _text("City", "", "City", example="New York"),
        ImportColumn(name="State", sets="State", rule="must exist for the country", example="New York"),
        _text("Postal Code", "PostalCode", "PostalCode", example="10001"),
        ImportColumn(name="Country", sets="Country", rule="must be a known country", example="United States"),
        ImportColumn(name="Latitude", sets="Latitude", type=CellType.DECIMAL, example="40.712800"),
        ImportColumn(name="Longitude", sets="Longitude", type=CellType.DECIMAL, example="-74.006000"),
        ImportColumn(
            name="TimeZone", sets="TimeZone", rule="a Windows or IANA time zone", example="Eastern Standard Time"
        ),
        _text("Store Owner", "StoreOwner", "StoreOwner"),
        _yes_no("Active", "IsActive", "IsActive", "No: hidden from work, kept for history", "Yes"),
        _yes_no("IsKeyOutlet", "Key?", "IsKeyLocation", example="No"),
        _named("Market", "", "MarketName", creates=True, example="East"),
        _named("Channel", "", "Channel", creates=True, example="Convenience"),
        _text("Asset Name", "AssetName", "SerialNumber", part="asset", example="SN123456789", note="Serial number"),
        _text("Asset Type", "AssetType", "AssetType", part="asset", example="Acme 500", note="Needed for a new asset"),
        ImportColumn(
            name="Asset Manufacturer",
            alias="AssetManufacturer",
            refers=("Manufacturer", "Name"),
            rule="must exist",
            note="For people: the asset type tells the manufacturer",
        ),
        _named("Classification", "ClassificationName", "ClassificationName", creates=True),
        _named("Sub Channel", "SubChannel", "SubChannel", creates=True),
        _named("Outlet Type", "OutletType", "OutletType", creates=True),
        _named("Key Account", "KeyAccountName", "KeyAccountName"),
        _named("Customer", "CustomerName", "CustomerName"),
        _named("Distributor", "DistributorName", "DistributorName", creates=True),
        _code("Route", "LocationRoute", "LocationRoute"),
        _named("Pre-Seller Route", "PreSellerRoute", "PreSellerRoute"),
        _code("TDLinx", "", "TDLinx"),
        _code("Buyer GTIN", "BuyerGTIN", "BuyerGTIN"),
        _code("Outlet GTIN", "OutletGTIN", "OutletGTIN"),
        ImportColumn(
            name="External Code",
            alias="ExternalLocationCode",
            sets="ExternalLocationCode",
            max_length=150,
            note="Finds the outlet where the code does not",
        ),
        _text("Phone", "PrimaryPhone", "PrimaryPhone"),
        _text("Mobile", "PrimaryMobile", "PrimaryMobile"),
        _email("Email", "PrimaryEmail", "PrimaryEmail"),
        _text("Contact Name", "ContactName", "Name", part="contact"),
        _email("Contact Email", "ContactEmail", "Email", part="contact"),
        _text("Contact Phone", "ContactPhone", "Phone", part="contact"),
        _text("Contact Notification Type", "ContactNotificationType", "NotificationType", part="contact"),
        ImportColumn(
            name="Sales Rep Email",
            alias="SalesRepEmail",
            part="rep",
            sets="SalesRepEmail",
            also=(("primary", "PrimarySalesRep"),),
            type=CellType.EMAIL,
            rule="must be a user",
        ),
        _told("Sales Rep First Name", "SalesRepFirstName"),
        _told("Sales Rep Last Name", "SalesRepLastName"),
        _told("Sales Rep Phone", "SalesRepPhone"),
        _told("Sales Rep Role", "SalesRepRole"),
        ImportColumn(
            name="Primary Sales Rep",
            alias="PrimarySalesRep",
            type=CellType.BOOLEAN,
            note="Yes: the outlet's primary sales rep",
        ),
        ImportColumn(
            name="Sales Rep Name",
            alias="LocationSalesRep",
            sets="LocationSalesRep",
            max_length=200,
            note="Only without an account",
        ),
        ImportColumn(
            name="Asset Model Number", alias="AssetModelNumber", note="For people: the asset type tells the model"
        ),
        _text("Asset Tag Number", "AssetTagNumber", "TagNumber", part="asset"),
        _text("Asset External Code", "AssetExternalCode", "ExternalAssetCode", part="asset"),
        _text("Asset Planogram", "AssetPlanogram", "PlanogramName", part="asset"),
        _text("Asset In Store Location", "AssetInStoreLocation", "AssetLocation", part="asset"),
        _text("Asset Notes", "AssetNotes", "AssetNotes", part="asset"),
        _text("Smart Device Serial", "SmartDeviceSerialNumber", "SerialNumber", part="device"),
        ImportColumn(
            name="Smart Device Type",
            alias="SmartDeviceType",
            part="device",
            sets="SmartDeviceType",
            creates=True,
            note=ADDED,
        ),
        _text("Smart Device IMEI", "SmartDeviceIMEI", "IMEI", part="device"),
        _text("Smart Device Mac Address", "SmartDeviceMacAddress", "MacAddress", part="device"),
        _yes_no("Suggested Ordering Paused", "IsOrderingPaused", "IsOrderingPaused"),
        _text("Notes", "DirectionNotes", "DirectionNotes"),
    ),
)
