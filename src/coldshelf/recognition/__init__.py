"""What stands in the picture: recognisers, result versions, annotated pictures.

Comes from: prepared renditions of pictures, products with their reference pictures.
Goes to: compliance, kpis, the product rows and the recognition JSON.
"""
