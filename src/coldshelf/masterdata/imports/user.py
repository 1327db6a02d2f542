"""Users (contract 5.3, 11 columns)."""

from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Part


def _named(name: str, alias: str, sets: str) -> ImportColumn:
    return ImportColumn(name=name, alias=alias, sets=sets, max_length=150, rule="must exist")


USERS = ImportType(
    name="User",
    title="Users",
    main="user",
    parts=(Part(name="user", entity="User", keys=(("PrimaryEmail",),)),),
    note="A new user has no password: an admin sets one, and the user signs in by the e-mail address.",
    columns=(
        ImportColumn(
            name="First Name", alias="FirstName", sets="FirstName", required=True, max_length=150, example="Ann"
        ),
        ImportColumn(name="Last Name", alias="LastName", sets="LastName", required=True, max_length=150, example="Lee"),
        ImportColumn(
            name="Email",
            alias="PrimaryEmail",
            sets="PrimaryEmail",
            type=CellType.EMAIL,
            required=True,
            max_length=250,
            example="ann@example.org",
            note="Kept in lower case; finds the user",
        ),
        ImportColumn(
            name="Phone",
            alias="PrimaryPhone",
            sets="PrimaryPhone",
            required=True,
            max_length=150,
            example="+1 555 0100",
        ),
        ImportColumn(name="Role", sets="Role", required=True, max_length=150, example="Sales Rep"),
        ImportColumn(name="Employer", alias="EmployerName", sets="EmployerName", max_length=150),
        ImportColumn(
            name="Market",
            alias="MarketName",
            sets="MarketName",
            creates=True,
            max_length=150,
            note="Added where missing",
        ),
        _named("Key Account", "KeyAccountName", "KeyAccountName"),
        _named("Classification", "ClassificationName", "ClassificationName"),
        _named("Distributor", "DistributorName", "DistributorName"),
        ImportColumn(
            name="Preferred Notification Type", sets="PreferredNotificationType", max_length=150, example="Email"
        ),
    ),
)
