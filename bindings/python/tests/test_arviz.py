"""What ArviZ makes of the traces of a run."""

import numpy as np
import pytest

arviz = pytest.importorskip("arviz")


def test_r_hat_is_that_of_the_run(points):
    traces = points.traces
    last = points.summary["diagnostics"]
    assert traces.shape[:2] == (last["chains"], last["records"])
    ours = [last["energy"], *last["projections"]]
    for quantity, mixing in enumerate(ours):
        values = traces[:, :, quantity].astype(np.float64)
        assert mixing["r_hat"] is not None
        # Both rank-normalise and split; they compute in float64, from the same float32.
        assert float(arviz.rhat(values)) == pytest.approx(mixing["r_hat"], rel=1e-6)


def test_traces_become_inference_data(points):
    names = ["energy", "projection_1", "projection_2", "projection_3"]
    data = arviz.from_dict(posterior=dict(zip(names, np.moveaxis(points.traces, 2, 0), strict=True)))
    summary = arviz.summary(data)
    assert list(summary.index) == names
