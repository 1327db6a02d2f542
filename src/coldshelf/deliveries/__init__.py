"""Owns what is pushed to others: subscriptions, callbacks and messages, their attempts and their replay.

Comes from: the public events of every room, and the records that they are about.
Goes to: systems of clients and partners, over HTTPS, each message signed; people, by e-mail, SMS and Slack; developers,
by a stream and a sandbox.

`fanout` writes a delivery for each receiver of an event; `dispatching` takes what is due, `loading` reads the records,
`sending` hands them to a channel, `noting` writes down what came of it.
"""
