"""Spreadsheet imports: a file is checked as a whole, then written whole or not at all, and can be undone.

Comes from: files of the import handler, the command line and watched folders; declarations that rooms register.
Goes to: the tables of the declared entities, with an audit of who changed what. Knows no retail word.
"""
