"""Opens ONNX files for one thread: parallel work is the business of worker processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from coldshelf.kit.errors import InputInvalid

# They have no common ancestor below Exception.
_REFUSALS: Final = (
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NotImplemented,
    runtime.RuntimeException,
)


class Session(Protocol):
    """What is used of `onnxruntime.InferenceSession`."""

    def run(
        self, names: Sequence[str] | None, inputs: Mapping[str, NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]: ...


def open_session(file: Path) -> Session:
    """Open a network for the CPU; a missing or broken file is an error that names it."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: Any = onnxruntime.InferenceSession(file.read_bytes(), options, providers=["CPUExecutionProvider"])
    except (OSError, RuntimeError, ValueError, *_REFUSALS) as error:
        raise InputInvalid(
            f"{file} is not a network that can be run: {error}", cure="Name a folder that `coldshelf train` made."
        ) from error
    opened: Session = session
    return opened
