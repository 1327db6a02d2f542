"""What recognition adds to AssetPurity."""

from coldshelf.records.dataset import Column, ColumnGroup
from coldshelf.records.fields import FieldType

RESULT_COLUMNS = ColumnGroup(
    of="AssetPurity",
    relation="served_result",
    key="picture_id",
    columns=(
        Column(
            wire="PurityStatus",
            type=FieldType.TEXT,
            meaning="Product ids as a grid read row by row: entry row x Columns + column; 0 = unknown",
        ),
        Column(
            wire="DepthStatus",
            type=FieldType.TEXT,
            meaning="Products one behind the other, in the order of PurityStatus; 0 = not known",
        ),
        Column(wire="ModelVersion", type=FieldType.TEXT, meaning="Recogniser and its version"),
        Column(wire="ResultVersion", column="number", type=FieldType.INTEGER, meaning="Version of the served result"),
        Column(wire="ResultSource", column="source", type=FieldType.TEXT, meaning="recogniser or person"),
    ),
)
