"""Writes trained networks as ONNX files with half-precision weights."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from coldshelf.recognition.training.nets import Detector, Embedding, Joined

_OPSET = 17
_LARGE = 256
"""Weights with more numbers than this are kept in half precision; they are cast when the network is opened."""


def export_detector(net: Detector, file: Path) -> None:
    """Write the detector: `image` (1, 3, height, width) to `centre` and `distance`; sides are multiples of 32."""
    free = {"image": {2: "height", 3: "width"}}
    _export(net, (torch.zeros(1, 3, 416, 416),), file, inputs=["image"], outputs=["centre", "distance"], free=free)


def export_embedding(net: Embedding | Joined, file: Path) -> None:
    """Write the embedding: `crop` (n, 3, 96, 48) and `shape` (n,) to `point` (n, dimensions)."""
    free = {"crop": {0: "n"}, "shape": {0: "n"}}
    _export(
        net, (torch.zeros(2, 3, 96, 48), torch.zeros(2)), file, inputs=["crop", "shape"], outputs=["point"], free=free
    )


def _export(
    net: nn.Module,
    example: tuple[torch.Tensor, ...],
    file: Path,
    *,
    inputs: list[str],
    outputs: list[str],
    free: dict[str, dict[int, str]],
) -> None:
    with warnings.catch_warnings():
        # The newer exporter needs one more library (onnxscript) and gives nothing that these networks need.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net.eval(),
            example,
            str(file),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=free,
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load(str(file))
    _halve(model)
    file.write_bytes(model.SerializeToString())


def _halve(model: onnx.ModelProto) -> None:
    """Keep large weights in half precision, each with a cast behind it."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > _LARGE:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
