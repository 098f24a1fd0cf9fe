#!/usr/bin/env bash
# Two ONNX runtimes cut off the tails of a sigmoid, each in its own way, and one of them overflows in ReduceLogSumExp.
#
# One would have sworn that Sigmoid in 32-bit floats is right to a few units in the last place, as far out as floats hold
# it, which is down to −103. ONNX Runtime answers exactly 0 from −18 on, where 1.5e-8 is right, and on the way there −17 gets
# more than twice what is right. tract answers 4.5e-7 for everything below −15, however low, and 0.9999995 for everything
# above 15. And one would have sworn that operators named ReduceLogSumExp and Softplus are there to spare one the overflow:
# in tract both are infinite from 89 on, and ReduceLogSumExp is minus infinity for scores about −120; ONNX Runtime has both
# right.
#
# Seen with onnxruntime 1.31.1 (CPU) and tract 0.23.9, models made with onnx 1.23.2, opset 18, numpy 2.4.6, Python 3.11:
# ln Sigmoid at −30 is −infinity in the one and −14.62 in the other, −30 in mathematics; ReduceLogSumExp of three scores of
# 100 is 101.0986 in the one and infinite in the other.
#
# Why it matters here: noise-contrastive estimation reads densities off a sigmoid, where log-ratios beyond ±15 are nothing
# rare early in training, and −ReduceLogSumExp of a classifier's scores is the energy of a joint energy-based model. A model
# that is exported for one of these runtimes has other energies there.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check \
    'onnxruntime==1.31.1' 'tract==0.23.9' 'onnx==1.23.2' 'numpy==2.4.6'

cd "$folder"
"$folder/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper


def both(operator, x, axes=None):
    """What the two runtimes make of a model of one operator."""
    constants = [] if axes is None else [numpy_helper.from_array(np.array(axes), "axes")]
    node = helper.make_node(operator, ["x"] + ["axes"] * len(constants), ["y"])
    graph = helper.make_graph(
        [node], "one", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content = model.SerializeToString()
    with open("model.onnx", "wb") as file:
        file.write(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    inference = tract.onnx().load("model.onnx")
    inference.set_input_fact(0, ",".join(map(str, x.shape)) + ",f32")
    runnable = inference.into_model().into_runnable()
    return session.run(None, {"x": x})[0].ravel(), runnable.run([x])[0].to_numpy().ravel()


def table(operator, x, answers, right):
    print(f"{operator}: x, ONNX Runtime, tract, right")
    for row in zip(x, *answers, right):
        print("  ", *(f"{value:12.5g}" for value in row))


x = np.array([-100.0, -30.0, -19.0, -17.0, -15.0, -10.0, 0.0, 10.0, 30.0], np.float32)
right = 1.0 / (1.0 + np.exp(-x.astype(np.float64)))
runtime, other = both("Sigmoid", x)
table("Sigmoid", x, (runtime, other), right)
sigmoid = (runtime[:3] == 0.0).all() and abs(runtime[3] / right[3] - 1.0) > 0.1 and 4e-7 < other[0] < 5e-7 and other[0] == other[3]

x = np.array([-10.0, 0.0, 50.0, 88.0, 89.0, 200.0], np.float32)
right = np.logaddexp(0.0, x.astype(np.float64))
softplus = both("Softplus", x)
table("Softplus", x, softplus, right)
overflow = np.isinf(softplus[1][4:]).all() and np.isfinite(softplus[0]).all()

x = np.array([-120.0, 0.0, 80.0, 100.0], np.float32)
right = x + np.log(3.0)
sums = both("ReduceLogSumExp", np.repeat(x[:, None], 3, axis=1), axes=[1])
table("ReduceLogSumExp of three equal scores", x, sums, right)
reduced = np.allclose(sums[0], right, rtol=1e-5) and sums[1][0] == -np.inf and sums[1][3] == np.inf

if not (sigmoid and overflow and reduced):
    sys.exit("changed: the sigmoid's tails or tract's Softplus and ReduceLogSumExp are other than described")
print("as described: both runtimes cut the sigmoid's tails, and tract overflows where it need not")
PY
