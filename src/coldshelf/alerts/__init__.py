"""Owns alerts: rules, their life from open to closed, and who is told.

Comes from: telemetry, facings, figures. Goes to: deliveries, bulk files. So far its datasets are promised only.
"""
