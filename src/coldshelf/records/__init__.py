"""The one engine behind every entity and dataset: declarations, filters, paging, cursors, saving, handlers.

Comes from: the declarations that rooms register.
Goes to: lists and single records on the contract's handlers, bulk files, callbacks. Knows no retail word.
"""
