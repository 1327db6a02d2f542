"""Pictures: upload, outcomes, preparation (decode, orient, combine, redact), renditions and preview.

Comes from: the upload door and masterdata (which cooler, which outlet).
Goes to: recognition, and everything that is measured on a picture.
"""
