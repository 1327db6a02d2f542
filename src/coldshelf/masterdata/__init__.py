"""Outlets, coolers and their types, products with reference pictures, planograms, devices.

Comes from: the contract's handlers, later imports.
Goes to: pictures (which cooler is it), recognition (which products may be seen), compliance (what was planned).
"""
