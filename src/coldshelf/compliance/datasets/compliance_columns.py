"""What compliance adds to AssetPurityProduct."""

from coldshelf.records.dataset import Column, ColumnGroup
from coldshelf.records.fields import FieldType

COMPLIANCE_COLUMNS = ColumnGroup(
    of="AssetPurityProduct",
    relation="facing_compliance",
    key="facing_id",
    columns=(
        Column(wire="IsCompliant", type=FieldType.BOOLEAN, meaning="Stands where the planogram wants it"),
        Column(
            wire="ComplianceStatus",
            column="status",
            type=FieldType.TEXT,
            meaning="matched, wrong_product, extra, moved or empty; no value without a planogram",
        ),
    ),
)
