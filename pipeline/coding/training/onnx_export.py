"""The fine-tuned network as ONNX with 8-bit weights.

A dense step multiplies whole numbers: each output's weights are stored in 8 bits with a scale of their own, and each
word piece that comes in is brought to 8 bits with a scale of its own, as some pieces carry numbers a hundred times
larger than all others (one scale for all would cost half of what the network knows). The sums of attention, the
normalizations and the heads stay in 32 bits. The word vectors lie beside the graph, one scale a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.coding.inference.features import Matrix

OPSET, IR = 20, 9
HIGHEST = 63
"""Weights go from -63 to 63: one bit less than there is, as older processors add pairs of products in 16 bits."""

ZERO = 128
"""The whole number that stands for 0 in what comes in."""
_FLOAT, _UINT8 = 1, 2  # ONNX's numbers for the types


def eighths(rows: Matrix, highest: int = 127) -> tuple[NDArray[np.int8], Matrix]:
    """A matrix as whole numbers with one scale a row.

    >>> eighths(np.array([[0.5, -1.0]], dtype=np.float32), 2)[0].tolist()
    [[1, -2]]
    """
    scales = np.maximum(np.abs(rows).max(axis=1), 1e-12).astype(np.float32) / highest
    return np.round(rows / scales[:, None]).astype(np.int8), scales


class _Graph:
    """Nodes and initializers as they are added; each method returns the name of what it computes."""

    def __init__(self) -> None:
        from onnx import NodeProto

        self.nodes: list[NodeProto] = []
        self.arrays: dict[str, NDArray[Any]] = {}

    def __call__(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.several(kind, 1, *inputs, **attributes)[0]

    def several(self, kind: str, number: int, *inputs: str, **attributes: Any) -> list[str]:
        from onnx import helper

        outputs = [f"{kind}{len(self.nodes)}_{place}" for place in range(number)]
        self.nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs

    def array(self, values: NDArray[Any] | np.generic | list[int]) -> str:
        name = f"array{len(self.arrays)}"
        self.arrays[name] = np.array(values, np.int64 if isinstance(values, list) else None, order="C")
        return name

    def dense(self, given: tuple[str, str], weight: Matrix, bias: Matrix) -> str:
        """A dense step of what `brought` gave; ``weight`` has shape (outputs, inputs)."""
        whole, scales = eighths(weight, HIGHEST)
        sums = self("MatMulInteger", given[0], self.array(whole.T), self.array(np.array(ZERO, dtype=np.uint8)))
        product = self("Mul", self("Cast", sums, to=_FLOAT), self.array(scales))
        return self("Add", self("Mul", product, given[1]), self.array(bias))

    def brought(self, given: str) -> tuple[str, str]:
        """What comes in as whole numbers around `ZERO`, and the scale of each row."""
        most = self("ReduceMax", self("Abs", given), self.array([-1]), keepdims=1)
        scale = self("Div", self("Max", most, self.array(np.float32(1e-9))), self.array(np.float32(ZERO - 1)))
        moved = self("Add", self("Round", self("Div", given, scale)), self.array(np.float32(ZERO)))
        return self("Cast", moved, to=_UINT8), scale

    def norm(self, given: str, weight: Matrix, bias: Matrix, epsilon: float) -> str:
        return self("LayerNormalization", given, self.array(weight), self.array(bias), axis=-1, epsilon=epsilon)

    def float_dense(self, given: str, weight: Matrix, bias: Matrix) -> str:
        return self("Gemm", given, self.array(weight), self.array(bias), transB=1)


def graph(state: Mapping[str, Matrix], heads: int, epsilon: float) -> bytes:
    """The network's arithmetic for one window.

    Inputs: ``vectors`` (pieces, width), word and place vectors added; ``buckets`` (pieces, pieces), see
    `pipeline.coding.inference.onnx_scorer`; ``read`` (utterances, pieces), ``ends`` and ``roles`` (utterances,) as for
    `pipeline.coding.training.network.Network.forward`. Output: ``scores`` (utterances, outputs), with the mean of the
    annotators' offsets.

    Parameters
    ----------
    state: the network's parameters by name, in 32 bits.
    heads, epsilon: attention heads; what normalization adds to the variance.
    """
    from onnx import TensorProto, helper, numpy_helper

    make = _Graph()
    width = state["norm.weight"].shape[0]
    near = make("Gather", make.array(state["relative"]), "buckets")
    bias = make("Unsqueeze", make("Transpose", near, perm=[2, 0, 1]), make.array([0]))
    states = make.norm("vectors", state["norm.weight"], state["norm.bias"], epsilon)
    for number in range(sum(name.endswith(".up.weight") for name in state)):
        own = {name.split(".", 2)[2]: value for name, value in state.items() if name.startswith(f"layers.{number}.")}
        states = _layer(make, states, bias, own, (heads, width, epsilon))
    mean = make("MatMul", "read", states)
    joint = make("Concat", mean, make("Gather", states, "ends"), make("Gather", states, "roles"), axis=1)
    hidden = make("Tanh", make.float_dense(joint, state["hidden.weight"], state["hidden.bias"]))
    last = make.float_dense(
        hidden, state["output.weight"], state["output.bias"] + state["annotators.weight"].mean(axis=0)
    )
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
        ir_version=IR,
    )
    return bytes(model.SerializeToString(deterministic=True))


def _layer(make: _Graph, states: str, bias: str, own: Mapping[str, Matrix], shape: tuple[int, int, float]) -> str:
    """One layer of `pipeline.coding.training.network.Layer`; the attention's scale is put into its queries' weights."""
    heads, width, epsilon = shape
    scale = np.ones(3 * width, dtype=np.float32)
    scale[:width] = (width // heads) ** -0.5
    joint = make.dense(make.brought(states), own["attend.weight"] * scale[:, None], own["attend.bias"] * scale)
    parted = make("Transpose", make("Reshape", joint, make.array([-1, 3, heads, width // heads])), perm=[1, 2, 0, 3])
    query, key, value = make.several("Split", 3, parted, axis=0, num_outputs=3)
    likeness = make("Add", make("MatMul", query, make("Transpose", key, perm=[0, 1, 3, 2])), bias)
    seen = make("MatMul", make("Softmax", likeness, axis=-1), value)
    flat = make("Reshape", make("Transpose", seen, perm=[0, 2, 1, 3]), make.array([-1, width]))
    gathered = make.dense(make.brought(flat), own["gather.weight"], own["gather.bias"])
    states = make.norm(make("Add", states, gathered), own["norm.weight"], own["norm.bias"], epsilon)
    inner = make("Gelu", make.dense(make.brought(states), own["up.weight"], own["up.bias"]))
    down = make.dense(make.brought(inner), own["down.weight"], own["down.bias"])
    return make.norm(make("Add", states, down), own["end.weight"], own["end.bias"], epsilon)
