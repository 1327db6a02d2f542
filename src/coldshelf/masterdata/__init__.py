"""Outlets and what they belong to, coolers and their types, products, planograms, devices, users.

Comes from: the contract's handlers, later imports.
Goes to: pictures (which cooler is it), recognition (which products may be seen), compliance (what was planned).
"""
