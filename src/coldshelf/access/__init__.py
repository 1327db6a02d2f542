"""Who may come in: clients (tenants), users, roles, credentials, sign-in.

Comes from: kit. Knows no retail word.
Goes to: every door of the house.
"""
