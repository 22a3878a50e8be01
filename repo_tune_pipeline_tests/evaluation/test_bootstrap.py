import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repo_tune_pipeline.evaluation.bootstrap import paired_difference
from repo_tune_pipeline.evaluation.holm import holm


def a_sample(rng: np.random.Generator, clusters: int, *, apart: float):
    """Observations in clusters of one to six, whose ratio's true difference is `apart`."""
    adapter, base, labels = [], [], []
    for cluster in range(clusters):
        shift = rng.normal(0, 0.2)
        for _ in range(rng.integers(1, 7)):
            weight = rng.uniform(20, 200)
            difficulty = rng.normal(3, 1)
            base.append((weight * difficulty, weight))
            better = difficulty + apart + shift + rng.normal(0, 0.2)
            adapter.append((weight * better, weight))
            labels.append(cluster)
    return adapter, base, labels


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
    adapter, base, labels = a_sample(rng, 12, apart=-0.1)
    tenfold = [value * 10 for value in (adapter, base, labels)]

    once = paired_difference(adapter, base, labels, resamples=1_000, seed=0)
    repeated = paired_difference(*tenfold, resamples=1_000, seed=0)

    assert once is not None
    assert repeated is not None
    assert repeated.difference == pytest.approx(once.difference)
    assert (repeated.low, repeated.high) == pytest.approx((once.low, once.high))


def test_one_file_gives_no_interval() -> None:
    ones = [(1, 1), (2, 1)]
    assert paired_difference(ones, ones, ["a", "a"], resamples=100, seed=0) is None


_TERMS = st.tuples(st.floats(0, 1e4), st.floats(1, 1e3))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(_TERMS, _TERMS, st.sampled_from("abcdefgh")), min_size=2, max_size=40
    ).filter(lambda rows: len({row[2] for row in rows}) > 1)
)
def test_exchanging_the_models_mirrors_the_interval(rows) -> None:
    first, second, labels = zip(*rows, strict=True)

    there = paired_difference(first, second, labels, resamples=200, seed=3)
    again = paired_difference(first, second, labels, resamples=200, seed=3)
    back = paired_difference(second, first, labels, resamples=200, seed=3)

    assert there == again
    assert there is not None
    assert back is not None
    assert back.difference == pytest.approx(-there.difference)
    assert back.low == pytest.approx(-there.high, rel=1e-6, abs=1e-6)
    assert back.p == there.p
    assert there.low <= there.high


def test_what_stands_below_the_line_may_differ_between_the_models() -> None:
    """As with names: an answer that names nothing counts for nothing."""
    found = paired_difference(
        [(3, 4), (0, 0), (1, 1)], [(0, 2), (1, 2), (0, 0)], "abc", resamples=300, seed=0
    )

    assert found is not None
    assert found.difference == pytest.approx(4 / 5 - 1 / 4)
    assert paired_difference([(0, 0)] * 2, [(1, 1)] * 2, "ab", resamples=100, seed=0) is None


def test_the_number_of_files_that_was_asked_for_shows_the_difference() -> None:
    """With so many clusters, about four in five samples find the effect, as it says."""
    rng = np.random.default_rng(5)
    pilot = paired_difference(*a_sample(rng, 200, apart=-0.1), resamples=400, seed=1)
    assert pilot is not None
    needed = pilot.needed_clusters(0.1)

    found = 0
    for _ in range(120):
        again = paired_difference(
            *a_sample(rng, needed, apart=-0.1), resamples=300, seed=int(rng.integers(1 << 30))
        )
        assert again is not None
        found += again.high < 0
    assert 0.68 <= found / 120 <= 0.93


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction_never_makes_a_finding_surer(p_values: list[float]) -> None:
    adjusted = holm(p_values)

    assert all(p <= after <= 1 for p, after in zip(p_values, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(1.0, len(p_values) * min(p_values)))
    ranked = sorted(zip(p_values, adjusted, strict=True))
    assert [after for _, after in ranked] == sorted(adjusted)


def test_holms_correction_is_the_papers() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
