"""What stands where it should: found facings held against the planogram, place by place.

Comes from: the served result of recognition, the places of the picture's planogram.
Goes to: kpis, the compliance columns of the product rows.
"""
