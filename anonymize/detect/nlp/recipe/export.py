"""The weights as one ONNX file: half precision at rest, single precision at work, characters and name inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from anonymize.detect.nlp.recipe.network import Lac, Weights

_UNKNOWN: Final = "\ufffd"


def export(lac: Lac, weights: Weights, path: Path, *, name: str) -> None:
    """Write the file that `anonymize.detect.nlp.tagger` reads."""
    nodes: list[Any] = []
    held: list[Any] = []

    def keep(key: str, value: Any) -> str:
        held.append(numpy_helper.from_array(np.asarray(value, np.float16), f"{key}16"))
        nodes.append(helper.make_node("Cast", [f"{key}16"], [key], to=TensorProto.FLOAT))
        return key

    def constant(key: str, value: list[int]) -> str:
        held.append(numpy_helper.from_array(np.array(value, np.int64), key))
        return key

    def add(kind: str, given: list[str], made: list[str], **settings: Any) -> None:
        nodes.append(helper.make_node(kind, given, made, **settings))

    order = [*lac.pooled, *lac.kept]
    held.append(numpy_helper.from_array(np.asarray(weights["emb"], np.float16), "emb16"))
    add("Gather", ["emb16", "codes"], ["letters16"])  # gathered before it is widened: the table stays small
    add("Cast", ["letters16"], ["letters"], to=TensorProto.FLOAT)
    add("Transpose", ["letters"], ["x0"], perm=[1, 0, 2])
    constant("both", [0, 0, 256])
    for layer in (0, 1):
        parts = [keep(f"{part}{layer}", weights[f"{part}{layer}"]) for part in "WRB"]
        add(
            "GRU",
            [f"x{layer}", *parts, "lengths"],
            [f"y{layer}"],
            hidden_size=128,
            direction="bidirectional",
            linear_before_reset=1,
        )
        add("Transpose", [f"y{layer}"], [f"t{layer}"], perm=[0, 2, 1, 3])
        add("Reshape", [f"t{layer}", "both"], [f"x{layer + 1}"])
    add("MatMul", ["x2", keep("lw", np.asarray(weights["lw"])[:, order])], ["m"])
    add("Add", ["m", keep("lb", np.asarray(weights["lb"])[order])], ["a"])
    add("Transpose", ["a"], ["by_text"], perm=[1, 0, 2])
    add("LogSoftmax", ["by_text"], ["sure"], axis=-1)
    add("Split", ["sure", constant("sizes", [len(lac.pooled), len(lac.kept)])], ["others", "names"], axis=-1)
    add("ReduceLogSumExp", ["others", constant("last", [-1])], ["outside"], keepdims=1)
    add("Concat", ["outside", "names"], ["scores"], axis=-1)
    graph = helper.make_graph(
        nodes,
        "names",
        [
            helper.make_tensor_value_info("codes", TensorProto.INT64, ["texts", "steps"]),
            helper.make_tensor_value_info("lengths", TensorProto.INT32, ["texts"]),
        ],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["texts", "steps", 7])],
        held,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    same = [odd + plain for odd, plain in lac.same.items() if len(odd) == 1 == len(plain) and plain in lac.characters]
    letters = "".join(lac.characters) + _UNKNOWN
    for key, value in {"name": name, "characters": letters, "same": "\t".join(same)}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
