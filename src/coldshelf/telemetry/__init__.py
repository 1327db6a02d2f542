"""Owns what smart devices report: pings, doors, movement, health, power, batteries.

Comes from: devices and their gateways. Goes to: alerts, kpis, bulk files. So far its datasets are promised only.
"""
