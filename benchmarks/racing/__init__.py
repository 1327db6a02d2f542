"""The race of exports (`export_race.py`): one table, whoever exports it, what that took, and whether it is right."""
