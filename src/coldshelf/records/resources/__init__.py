"""`/api/v1`: every entity and dataset of the registry as a resource with real JSON types.

Comes from: the declarations; the same lists and saves as the contract's handlers.
Goes to: `entrypoints`, which mounts `router.resource_router`.
"""
