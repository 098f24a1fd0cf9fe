"""The estimator in scikit-learn's conventions."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone  # noqa: E402
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

import afterimage  # noqa: E402
from afterimage.sklearn import EnergyModel  # noqa: E402

SMALL = {"hidden": (8,), "steps": 5, "batch": 16, "settings": {"sampler.buffer": 32}}

#: Checks that fail, each with why.
EXPECTED: dict[str, str] = {}


@parametrize_with_checks([EnergyModel(**SMALL, random_state=0)], expected_failed_checks=lambda estimator: EXPECTED)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def table():
    """Two clusters in three columns of different scales."""
    random = np.random.default_rng(0)
    centres = np.array([[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]])
    values = centres[random.integers(0, 2, 600)] + 0.2 * random.normal(size=(600, 3))
    return values * [1.0, 100.0, 0.01] + [0.0, 50.0, 3.0]


@pytest.fixture(scope="module")
def fitted(table):
    return EnergyModel(hidden=(32, 32), steps=300, batch=128, random_state=1).fit(table)


def test_it_learns_where_data_are(fitted, table):
    assert fitted.n_iter_ == 300 and fitted.n_features_in_ == 3
    between = table.mean(axis=0, keepdims=True)
    far = table.mean(axis=0) + 5 * table.std(axis=0) * np.array([[1, -1, 1]])
    # Between the clusters hardly a sample lies, and none far away.
    assert np.median(fitted.score_samples(table)) > fitted.score_samples(between)[0] + 1
    assert fitted.score_samples(between)[0] > fitted.score_samples(far)[0] + 1
    assert fitted.score(table) == pytest.approx(fitted.score_samples(table).mean())


def test_samples_are_of_the_columns_as_they_were(fitted, table):
    drawn = fitted.sample(400, random_state=2)
    assert drawn.shape == (400, 3) and drawn.dtype == np.float64
    np.testing.assert_array_equal(drawn, fitted.sample(400, random_state=2))
    # Of 400 samples of two clusters the mean is sure to a twentieth of the deviation; the model is not the data.
    assert (np.abs(drawn.mean(axis=0) - table.mean(axis=0)) < table.std(axis=0)).all()
    assert (drawn.std(axis=0) < 2 * table.std(axis=0)).all()
    assert fitted.sample().shape == (1, 3)


def test_the_same_seed_gives_the_same_model(table):
    models = [EnergyModel(**SMALL, random_state=3).fit(table) for _ in range(2)]
    np.testing.assert_array_equal(*(model.score_samples(table) for model in models))
    other = EnergyModel(**SMALL, random_state=4).fit(table)
    assert not np.array_equal(other.score_samples(table), models[0].score_samples(table))


def test_scores_are_densities_of_the_columns(table):
    """Of columns in other units the density is another, by their scale."""
    model = EnergyModel(**SMALL, random_state=3).fit(table)
    again = EnergyModel(**SMALL, random_state=3).fit(table * 8)
    difference = model.score_samples(table) - again.score_samples(table * 8)
    # Scaling by a power of two changes no digit.
    np.testing.assert_allclose(difference, 3 * np.log(8), rtol=1e-6)


def test_it_is_a_part_of_pipelines(table):
    pipeline = make_pipeline(StandardScaler(), EnergyModel(**SMALL, random_state=0))
    assert np.isfinite(pipeline.fit(table).score_samples(table)).all()
    model = clone(pipeline[-1]).set_params(steps=7, rate=1e-3)
    assert model.get_params()["steps"] == 7
    assert model.fit(table).n_iter_ == 7


def test_what_cannot_be_is_refused(table):
    for wrong in [{"steps": -1}, {"batch": 0}, {"hidden": (0,)}, {"settings": {"run.stepz": 1}}, {"rate": "fast"}]:
        with pytest.raises((ValueError, TypeError)):
            EnergyModel(**{**SMALL, **wrong}).fit(table)
    with pytest.raises(afterimage.DeviceError):
        EnergyModel(**SMALL, adapter="no such adapter").fit(table)


def test_what_fails_leaves_it_as_it_was(table):
    model = EnergyModel(**SMALL, random_state=0)
    wrong = {"settings": {"run.stepz": 1}}
    with pytest.raises(ValueError):
        model.set_params(**wrong).fit(table)
    for ask in (lambda: model.score_samples(table), model.sample):
        with pytest.raises(NotFittedError):
            ask()
    model.set_params(**SMALL).fit(table)
    before, scores = dict(vars(model)), model.score_samples(table)
    with pytest.raises(ValueError):
        model.set_params(**wrong).fit(table[:, :2] + 5)
    after = {**vars(model), "settings": SMALL["settings"]}
    assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
    np.testing.assert_array_equal(model.score_samples(table), scores)


def test_columns_that_do_not_vary_are_left_in_their_scale():
    # The mean of so many is not their value to the last bit.
    x = np.full((600, 2), 0.1)
    x[:, 0] = np.linspace(-1, 1, 600)
    model = EnergyModel(**SMALL, random_state=0).fit(x)
    assert model.scale_[1] == 1
    with pytest.raises(ValueError, match="random_state"):
        EnergyModel(**SMALL, random_state=-1).fit(x)
