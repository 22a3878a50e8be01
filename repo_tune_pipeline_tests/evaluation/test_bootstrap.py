import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.evaluation.bootstrap import paired_difference


def a_sample(rng: np.random.Generator, clusters: int, *, apart: float):
    """Observations in clusters of one to six, whose ratio's true difference is `apart`."""
    adapter, base, weights, labels = [], [], [], []
    for cluster in range(clusters):
        shift = rng.normal(0, 0.2)
        for _ in range(rng.integers(1, 7)):
            weight = rng.uniform(20, 200)
            difficulty = rng.normal(3, 1)
            base.append(weight * difficulty)
            adapter.append(weight * (difficulty + apart + shift + rng.normal(0, 0.2)))
            weights.append(weight)
            labels.append(cluster)
    return adapter, base, weights, labels


@pytest.mark.parametrize(("clusters", "least"), [(8, 0.84), (40, 0.92)])
def test_the_interval_covers_the_truth_about_as_often_as_it_says(clusters, least) -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        found = paired_difference(
            *a_sample(rng, clusters, apart=-0.1), resamples=400, seed=int(rng.integers(1 << 30))
        )
        assert found is not None
        covered += found.low <= -0.1 <= found.high
    assert least <= covered / 400 <= 0.98


def test_examples_of_one_file_do_not_count_as_independent() -> None:
    rng = np.random.default_rng(2)
    adapter, base, weights, labels = a_sample(rng, 12, apart=-0.1)
    tenfold = [value * 10 for value in (adapter, base, weights, labels)]

    once = paired_difference(adapter, base, weights, labels, resamples=1_000, seed=0)
    repeated = paired_difference(*tenfold, resamples=1_000, seed=0)

    assert once is not None
    assert repeated is not None
    assert repeated.difference == pytest.approx(once.difference)
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))


def test_one_file_gives_no_interval() -> None:
    assert paired_difference([1, 2], [2, 3], [1, 1], ["a", "a"], resamples=100, seed=0) is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e4), st.floats(0, 1e4), st.floats(1, 1e3), st.sampled_from("abcdefgh")
        ),
        min_size=2,
        max_size=40,
    ).filter(lambda rows: len({row[3] for row in rows}) > 1)
)
def test_exchanging_the_models_mirrors_the_interval(rows) -> None:
    first, second, weights, labels = zip(*rows, strict=True)

    there = paired_difference(first, second, weights, labels, resamples=200, seed=3)
    again = paired_difference(first, second, weights, labels, resamples=200, seed=3)
    back = paired_difference(second, first, weights, labels, resamples=200, seed=3)

    assert there == again
    assert there is not None
    assert back is not None
    assert back.difference == -there.difference
    assert back.low == pytest.approx(-there.high, rel=1e-6, abs=1e-6)
    assert there.low <= there.high
