"""Exports the fine-tuned network to ONNX with 8-bit weights.

A dense layer multiplies integers: the weights of each output are stored in 8 bits with their own scale, and each word
piece is quantized to 8 bits with its own scale, as some pieces have values a hundred times larger than all others (one
scale for all pieces would lose half of what the network learned). Attention, normalization and the heads stay in 32
bits. The word vectors are stored beside the graph, with one scale per word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.coding.inference.features import Matrix

OPSET, IR_VERSION = 20, 9
"""Versions of ONNX 1.15, which ONNX Runtime reads since 1.17."""
MAX_WEIGHT = 63
"""Weights range from -63 to 63: one bit less than int8 has, as older processors add pairs of products in 16 bits."""

ZERO_POINT = 128
"""The integer that represents 0 in quantized inputs."""
_FLOAT, _UINT8 = 1, 2  # ONNX's type numbers


def quantize_rows(rows: Matrix, highest: int = 127) -> tuple[NDArray[np.int8], Matrix]:
    """Return a matrix as integers up to ``highest``, and one scale per row.

    >>> quantize_rows(np.array([[0.5, -1.0]], dtype=np.float32), 2)[0].tolist()
    [[1, -2]]
    """
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-12).astype(np.float32) / highest
    return np.round(rows / scales[:, None]).astype(np.int8), scales


class _GraphBuilder:
    """Collects nodes and initializers; each method adds some and returns the name of its result."""

    def __init__(self) -> None:
        from onnx import NodeProto

        self.nodes: list[NodeProto] = []
        self.arrays: dict[str, NDArray[Any]] = {}

    def __call__(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.several(kind, 1, *inputs, **attributes)[0]

    def several(self, kind: str, number: int, *inputs: str, **attributes: Any) -> list[str]:
        from onnx import helper

        outputs = [f"{kind}{len(self.nodes)}_{index}" for index in range(number)]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs

    def array(self, values: NDArray[Any] | np.generic | list[int]) -> str:
        name = f"array{len(self.arrays)}"
        self.arrays[name] = np.array(values, np.int64 if isinstance(values, list) else None, order="C")
        return name

    def quantized_dense(self, quantized: tuple[str, str], weight: Matrix, bias: Matrix) -> str:
        """Add a dense layer on the result of `quantize_input`; ``weight`` has shape (outputs, inputs)."""
        integers, scales = quantize_rows(weight, MAX_WEIGHT)
        sums = self(
            "MatMulInteger", quantized[0], self.array(integers.T), self.array(np.array(ZERO_POINT, dtype=np.uint8))
        )
        product = self("Mul", self("Cast", sums, to=_FLOAT), self.array(scales))
        return self("Add", self("Mul", product, quantized[1]), self.array(bias))

    def quantize_input(self, values: str) -> tuple[str, str]:
        """Add the quantization of an input; returns its integers around `ZERO_POINT`, and the scale of each row."""
        largest = self("ReduceMax", self("Abs", values), self.array([-1]), keepdims=1)
        scale = self("Div", self("Max", largest, self.array(np.float32(1e-9))), self.array(np.float32(ZERO_POINT - 1)))
        shifted = self("Add", self("Round", self("Div", values, scale)), self.array(np.float32(ZERO_POINT)))
        return self("Cast", shifted, to=_UINT8), scale

    def norm(self, values: str, weight: Matrix, bias: Matrix, epsilon: float) -> str:
        return self("LayerNormalization", values, self.array(weight), self.array(bias), axis=-1, epsilon=epsilon)

    def dense(self, values: str, weight: Matrix, bias: Matrix) -> str:
        return self("Gemm", values, self.array(weight), self.array(bias), transB=1)


def export_network(state: Mapping[str, Matrix], heads: int, epsilon: float) -> bytes:
    """Return the network as a serialized ONNX model that scores one window.

    Inputs: ``vectors`` (pieces, width), the sums of word and position vectors; ``buckets`` (pieces, pieces), see
    `pipeline.coding.inference.onnx_scorer`; ``read`` (utterances, pieces), ``ends`` and ``roles`` (utterances,) as for
    `pipeline.coding.training.network.Network.forward`. Output: ``scores`` (utterances, outputs), with the mean of the
    annotators' offsets added.

    Parameters
    ----------
    state: the network's parameters by name, in 32 bits.
    heads, epsilon: number of attention heads; what normalization adds to the variance.
    """
    from onnx import TensorProto, helper, numpy_helper

    make = _GraphBuilder()
    width = state["norm.weight"].shape[0]
    near = make("Gather", make.array(state["relative"]), "buckets")
    bias = make("Unsqueeze", make("Transpose", near, perm=[2, 0, 1]), make.array([0]))
    states = make.norm("vectors", state["norm.weight"], state["norm.bias"], epsilon)
    for number in range(sum(name.endswith(".up.weight") for name in state)):
        parameters = {
            name.split(".", 2)[2]: value for name, value in state.items() if name.startswith(f"layers.{number}.")
        }
        states = _layer(make, states, bias, parameters, (heads, width, epsilon))
    mean = make("MatMul", "read", states)
    joint = make("Concat", mean, make("Gather", states, "ends"), make("Gather", states, "roles"), axis=1)
    hidden = make("Tanh", make.dense(joint, state["hidden.weight"], state["hidden.bias"]))
    last = make.dense(hidden, state["output.weight"], state["output.bias"] + state["annotators.weight"].mean(axis=0))
    make.nodes.append(helper.make_node("Identity", [last], ["scores"]))
    shapes = {
        "vectors": (TensorProto.FLOAT, ["pieces", width]),
        "buckets": (TensorProto.INT64, ["pieces", "pieces"]),
        "read": (TensorProto.FLOAT, ["utterances", "pieces"]),
        "ends": (TensorProto.INT64, ["utterances"]),
        "roles": (TensorProto.INT64, ["utterances"]),
    }
    model = helper.make_model(
        helper.make_graph(
            make.nodes,
            "utterance-tagger",
            [helper.make_tensor_value_info(name, *shape) for name, shape in shapes.items()],
            [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["utterances", len(state["output.bias"])])],
            [numpy_helper.from_array(array, name) for name, array in make.arrays.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    return bytes(model.SerializeToString(deterministic=True))


def _layer(
    make: _GraphBuilder, states: str, bias: str, parameters: Mapping[str, Matrix], shape: tuple[int, int, float]
) -> str:
    """Add a `pipeline.coding.training.network.EncoderLayer`; the queries' weights include the attention's scale."""
    heads, width, epsilon = shape
    scale = np.ones(3 * width, dtype=np.float32)
    scale[:width] = (width // heads) ** -0.5
    joint = make.quantized_dense(
        make.quantize_input(states), parameters["attend.weight"] * scale[:, None], parameters["attend.bias"] * scale
    )
    split = make("Transpose", make("Reshape", joint, make.array([-1, 3, heads, width // heads])), perm=[1, 2, 0, 3])
    query, key, value = make.several("Split", 3, split, axis=0, num_outputs=3)
    similarity = make("Add", make("MatMul", query, make("Transpose", key, perm=[0, 1, 3, 2])), bias)
    attended = make("MatMul", make("Softmax", similarity, axis=-1), value)
    flat = make("Reshape", make("Transpose", attended, perm=[0, 2, 1, 3]), make.array([-1, width]))
    gathered = make.quantized_dense(make.quantize_input(flat), parameters["gather.weight"], parameters["gather.bias"])
    states = make.norm(make("Add", states, gathered), parameters["norm.weight"], parameters["norm.bias"], epsilon)
    inner = make(
        "Gelu", make.quantized_dense(make.quantize_input(states), parameters["up.weight"], parameters["up.bias"])
    )
    down = make.quantized_dense(make.quantize_input(inner), parameters["down.weight"], parameters["down.bias"])
    return make.norm(make("Add", states, down), parameters["end.weight"], parameters["end.bias"], epsilon)
