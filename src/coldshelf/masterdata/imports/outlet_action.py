"""Outlet actions (contract 5.3, 5 columns): every row is a new one."""

from coldshelf.records.imports.declaration import CellType, ImportColumn, ImportType, Operation, Part

OUTLET_ACTIONS = ImportType(
    name="ImportOutletAction",
    title="Outlet actions",
    main="action",
    parts=(Part(name="action", entity="OutletAction", keys=(), operation=Operation.CREATE),),
    note="Importing a file again adds its actions again.",
    columns=(
        ImportColumn(
            name="Outlet Code",
            alias="Code",
            sets="LocationCode",
            required=True,
            max_length=50,
            rule="must exist",
            example="OUT-001",
        ),
        ImportColumn(
            name="Outlet Action",
            alias="OutletAction",
            sets="OutletAction",
            required=True,
            max_length=200,
            example="Refill the cooler",
        ),
        ImportColumn(
            name="Assigned To User",
            alias="AssignedToUser",
            sets="AssignedToUser",
            type=CellType.EMAIL,
            max_length=200,
            rule="must be a user",
            example="ann@example.org",
        ),
        ImportColumn(
            name="Planned Date", alias="PlannedDate", sets="PlannedDate", type=CellType.DATE, example="2026-03-17"
        ),
        ImportColumn(name="Completion Date", alias="CompletionDate", sets="CompletionDate", type=CellType.DATE),
    ),
)
