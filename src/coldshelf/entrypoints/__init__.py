"""The processes: API, worker, command line. The only place that wires parts together.

Comes from: every room.
Goes to: the operator.
"""
