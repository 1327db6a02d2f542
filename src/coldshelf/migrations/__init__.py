"""Revisions of plain SQL, applied by Alembic in one transaction under an advisory lock."""
