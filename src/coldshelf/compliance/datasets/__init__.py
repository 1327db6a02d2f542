"""The column groups of this room."""

from coldshelf.compliance.datasets.compliance_columns import COMPLIANCE_COLUMNS

GROUPS = (COMPLIANCE_COLUMNS,)
