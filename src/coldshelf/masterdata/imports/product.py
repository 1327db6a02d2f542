"""Products (contract 5.4, 30 columns)."""

from decimal import Decimal

from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Operation, Part

LONG = 200


def _text(
    name: str, alias: str, sets: str, *, example: str = "", creates: bool = False, note: str = ""
) -> ImportColumn:
    return ImportColumn(name=name, alias=alias, sets=sets, max_length=LONG, creates=creates, example=example, note=note)


def _named(name: str, alias: str, sets: str, example: str) -> ImportColumn:
    return ImportColumn(
        name=name, alias=alias, sets=sets, required=True, creates=True, max_length=LONG, example=example
    )


def _size(name: str, alias: str, sets: str, note: str = "") -> ImportColumn:
    return ImportColumn(name=name, alias=alias, sets=sets, type=CellType.DECIMAL, minimum=Decimal(0), note=note)


PRODUCTS = ImportType(
    name="Product",
    title="Products",
    main="product",
    parts=(
        Part(
            name="brand",
            entity="Brand",
            keys=(("Name",),),
            operation=Operation.ADD,
            repeats=True,
            needs=("ManufacturerId",),
        ),
        Part(
            name="product",
            entity="Product",
            keys=(("SKU",), ("ExternalProductCode",)),
            links={"BrandId": "brand"},
        ),
    ),
    columns=(
        ImportColumn(name="Product", sets="Name", required=True, max_length=LONG, example="Fizz Orange 330 ml Can"),
        ImportColumn(
            name="SKU", sets="SKU", required=True, max_length=LONG, example="FZ-330", note="Finds the product"
        ),
        _named("Packaging Type", "PackagingType", "PackagingType", "Can"),
        _named("Measurement Unit", "MeasurementUnit", "MeasurementUnit", "ml"),
        ImportColumn(
            name="Short Name",
            alias="ShortName",
            sets="ShortName",
            required=True,
            max_length=LONG,
            example="Fizz Orange",
        ),
        ImportColumn(
            name="Brand",
            alias="BrandName",
            part="brand",
            sets="Name",
            max_length=100,
            example="Fizz",
            note="Added where there is none of this name; Manufacturer Name is needed then",
        ),
        ImportColumn(
            name="Manufacturer Name",
            alias="Manufacturer",
            part="brand",
            sets="ManufacturerName",
            creates=True,
            max_length=LONG,
            example="Acme Drinks",
            note="Taken from the brand; only needed for a new one",
        ),
        _text("Product Type", "BeverageType", "BeverageType", creates=True, example="Soft drink"),
        ImportColumn(
            name="Product Category",
            alias="ProductCategory",
            sets="ProductCategory",
            creates=True,
            max_length=120,
            example="Orange",
            note="Added where there is none of this name",
        ),
        _text(
            "Product Category 2",
            "ProductSecondCategory",
            "ProductSecondCategory",
            creates=True,
            note="Added where there is none of this name",
        ),
        _text("Country", "", "Country", note="Only country where it is sold"),
        _text("State", "", "State", note="Only state where it is sold"),
        _text("UPC", "", "UPC", example="4006381333931"),
        _text("Short EAN Code", "ShortEANCode", "ShortEANCode"),
        _text("Product GTIN", "ProductGTIN", "ProductGTIN"),
        _text("Distributor GTIN", "DistributorGTIN", "DistributorGTIN"),
        ImportColumn(
            name="Distributor",
            alias="DistributorName",
            sets="DistributorName",
            creates=True,
            max_length=150,
            note="Added where there is none of this name",
        ),
        _text("Product Group", "ProductGroup", "ProductGroup"),
        _text("Flavour", "FlavourName", "FlavourName", example="Orange"),
        _text("Serving Type", "ServingType", "ServingType"),
        _text("Sales Unit", "SalesUnit", "SalesUnit"),
        ImportColumn(
            name="Case Size",
            alias="CaseSize",
            sets="CaseSize",
            type=CellType.INTEGER,
            minimum=Decimal(0),
            example="24",
            note="Units in a case",
        ),
        _size("Case Price", "CasePrice", "CasePrice"),
        ImportColumn(name="Currency", alias="CurrencyCode", sets="CurrencyCode", max_length=3, example="EUR"),
        _size("Cases per facing", "CasesPerFacing", "CasesPerFacing"),
        _size("Height", "", "Height", "Millimetres"),
        _size("Width", "", "Width", "Millimetres"),
        ImportColumn(
            name="Foreign",
            alias="IsForeign",
            sets="IsForeign",
            type=CellType.BOOLEAN,
            note="Competitor's product; unless filled in, as its manufacturer",
        ),
        ImportColumn(name="Active", alias="IsActive", sets="IsActive", type=CellType.BOOLEAN, example="Yes"),
        ImportColumn(
            name="External Code",
            alias="ExternalProductCode",
            sets="ExternalProductCode",
            max_length=LONG,
            note="Finds the product where the SKU does not",
        ),
    ),
)
