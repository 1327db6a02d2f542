"""Plumbing without a retail word: settings, errors, database, objects, queue, events, clock, embedded PostgreSQL.

Comes from: the environment and the libraries the house stands on.
Goes to: every room.
"""
