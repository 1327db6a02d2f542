"""Owns what is pushed to others: subscriptions, callbacks, their attempts and their replay.

Comes from: the public events of every room, and the records that they are about.
Goes to: the systems of clients and partners, over HTTPS, each message signed.
"""
