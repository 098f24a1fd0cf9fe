"""Reads a folder of events as TensorBoard does, and prints as JSON what it found: python3 read_events.py FOLDER"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

everything = {"scalars": 0, "images": 0, "histograms": 0, "tensors": 0}
found = EventAccumulator(sys.argv[1], size_guidance=everything)
found.Reload()
tags = found.Tags()
json.dump(
    {
        "scalars": {tag: [[e.step, e.value] for e in found.Scalars(tag)] for tag in tags["scalars"]},
        "images": {tag: [[e.step, e.width, e.height] for e in found.Images(tag)] for tag in tags["images"]},
        "histograms": {
            tag: [
                [e.step, v.min, v.max, sum(v.bucket), v.sum, v.sum_squares]
                for e in found.Histograms(tag)
                for v in [e.histogram_value]
            ]
            for tag in tags["histograms"]
        },
        "texts": {
            tag: found.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags["tensors"]
        },
    },
    sys.stdout,
)
