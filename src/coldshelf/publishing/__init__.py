"""Owns bulk exports: runs, manifests, column files, and the destinations that take them.

Comes from: the datasets that `records` knows, read in one snapshot of the database.
Goes to: folders and containers from which data platforms load.
"""
