"""Trains the two networks of the recogniser `neural`: a detector of facings and an embedding for identity.

Comes from: folders of pictures with true boxes (docs: "Data folders for evaluation"), scenes that the renderer draws.
Goes to: ONNX files that `recognition.networks` runs; torch is needed here only (`pip install coldshelf[train]`).
"""
