"""The web edge without a retail word: parameters, errors, request ids, logs, metrics, limits, health.

Comes from: kit and the web framework.
Goes to: the routes of every room; `entrypoints` equips the application with it.
"""
