"""The figures of a picture: shares of shelf, stock, occupancy, assortment, out of stock, compliance.

Comes from: the served result of recognition, held against the planogram by compliance.
Goes to: the KPI columns of the image record, the event that tells outsiders of a processed picture.
"""
