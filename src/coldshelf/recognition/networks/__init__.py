"""Runs the trained networks with onnxruntime: facings of a picture, and the look of crops as points.

Comes from: model folders (`detector.onnx`, `embedding.onnx`, `model.json`), shipped or made by `coldshelf train`.
Goes to: the recogniser `neural`, evaluation, and the comparison after a training.
"""
