"""`coldshelf evaluate`: puts truth, references, recogniser and the matching of plans together.

Comes from: the command line, the benchmarks.
Goes to: the report as JSON, a table, pictures and a page.
"""
