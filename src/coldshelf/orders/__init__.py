"""Owns missed opportunities and order recommendations with their states and link pages.

Comes from: facings and figures. Goes to: alerts, bulk files, partners. So far its datasets are promised only.
"""
