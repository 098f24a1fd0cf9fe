#!/usr/bin/env python3
"""Writes the ONNX files beside it, which the tests of `afterimage evaluate --features` read.

    pip install onnx numpy
    python3 tests/quality/onnx/make.py

digits_features.onnx is the classifier of assets/classifiers/digits.safetensors up to its features, for any number of
pictures; the others are networks of one or two operations on pictures of 8×8, each odd in the way that its name says.
"""

import json
import pathlib
import struct

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).parent
CLASSIFIER = HERE.parents[2] / "assets" / "classifiers" / "digits.safetensors"
FLOAT, INT32 = TensorProto.FLOAT, TensorProto.INT32


def weights():
    """The tensors of the classifier by name."""
    data = CLASSIFIER.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            start, end = info["data_offsets"]
            values = np.frombuffer(data[8 + length + start : 8 + length + end], "<f4")
            tensors[name] = values.reshape(info["shape"])
    return tensors


def write(name, nodes, inputs, outputs, initializers=()):
    """Writes the graph of `nodes` between `inputs` and `outputs`: (name, type, shape)."""
    values = [[helper.make_tensor_value_info(*value) for value in values] for values in (inputs, outputs)]
    graph = helper.make_graph(nodes, name, *values, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="make.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def silu(source, target):
    return [
        helper.make_node("Sigmoid", [source], [f"{target}_gate"]),
        helper.make_node("Mul", [source, f"{target}_gate"], [target]),
    ]


def digits_features():
    tensors = weights()
    kept = [numpy_helper.from_array(tensors[name].copy(), name) for name in tensors if name[0] in "025"]
    nodes = [
        helper.make_node("Conv", ["x", "0.weight", "0.bias"], ["a"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        *silu("a", "b"),
        helper.make_node("Conv", ["b", "2.weight", "2.bias"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        *silu("c", "d"),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "5.weight", "5.bias"], ["f"], transB=1),
        *silu("f", "features"),
    ]
    picture, features = ("x", FLOAT, ["n", 1, 8, 8]), ("features", FLOAT, ["n", 64])
    write("digits_features", nodes, [picture], [features], kept)


def oddities():
    def pool(source, target):
        return helper.make_node("AveragePool", [source], [target], kernel_shape=[2, 2], strides=[2, 2])

    def picture(batch):
        return ("x", FLOAT, [batch, 1, 8, 8])

    write("fixed_batch", [pool("x", "y")], [picture(3)], [("y", FLOAT, [3, 1, 4, 4])])
    write("pools", [pool("x", "y")], [picture("n")], [("y", FLOAT, ["n", 1, 4, 4])])
    write(
        "two_inputs",
        [helper.make_node("Add", ["x", "z"], ["y"])],
        [picture("n"), ("z", FLOAT, ["n", 1, 8, 8])],
        [("y", FLOAT, ["n", 1, 8, 8])],
    )
    write(
        "whole_numbers",
        [helper.make_node("Identity", ["x"], ["y"])],
        [("x", INT32, ["n", 1, 8, 8])],
        [("y", INT32, ["n", 1, 8, 8])],
    )
    write(
        "gives_whole_numbers",
        [helper.make_node("Cast", ["x"], ["y"], to=INT32)],
        [picture("n")],
        [("y", INT32, ["n", 1, 8, 8])],
    )
    write("logarithm", [helper.make_node("Log", ["x"], ["y"])], [picture("n")], [("y", FLOAT, ["n", 1, 8, 8])])
    write(
        "mean_of_all",
        [helper.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)],
        [picture("n")],
        [("y", FLOAT, [1, 1, 8, 8])],
    )
    # As layers of batch normalisation that were exported as they train.
    write(
        "less_the_mean_of_all",
        [
            helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
            helper.make_node("Sub", ["x", "mean"], ["y"]),
        ],
        [picture("n")],
        [("y", FLOAT, ["n", 1, 8, 8])],
    )
    write("batch_of_5000", [pool("x", "y")], [picture(5000)], [("y", FLOAT, [5000, 1, 4, 4])])
    repeats = numpy_helper.from_array(np.array([1, 1, 12, 12], dtype=np.int64), "repeats")
    write(
        "wide",
        [helper.make_node("Tile", ["x", "repeats"], ["y"])],
        [picture("n")],
        [("y", FLOAT, ["n", 1, 96, 96])],
        [repeats],
    )
    colours = ("x", FLOAT, ["n", 3, 8, 8])
    write("colours", [pool("x", "y")], [colours], [("y", FLOAT, ["n", 3, 4, 4])])


if __name__ == "__main__":
    digits_features()
    oddities()
