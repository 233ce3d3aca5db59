"""Every instruction set gives the same bits, and the best is chosen at import."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from kinds import (
    KINDS,
    block_of_kinds,
    continuous_target,
    discrete_target,
    score,
    standardize_adjacent,
)

from skpar_select.kernels import _config, _kernels, get_config, mutual_information, ranks

AVAILABLE = _kernels.instruction_sets()


@pytest.fixture
def every_instruction_set():
    """Call a function on each instruction set; the one before is restored."""
    before = _kernels.instruction_set()

    def call(function):
        results = {}
        for name in AVAILABLE:
            _kernels.use_instruction_set(name)
            results[name] = function()
        return results

    yield call
    _kernels.use_instruction_set(before)


def everything(scored):
    """All that is told of a block, in one array."""
    return np.vstack([part for part in scored if part is not None])


@pytest.mark.parametrize("n_neighbors", [3, 10, 11, 64])
@pytest.mark.parametrize("n_samples", [300, 16_384, 16_385])
def test_ranks__have_the_same_bits(every_instruction_set, n_samples, n_neighbors):
    rng = np.random.default_rng(n_samples)
    X = np.column_stack([KINDS[kind](rng, n_samples) for kind in ("normal", "ages", "cauchy")])
    for prepare in (continuous_target, discrete_target):
        y = (X[:, 0] + rng.normal(size=n_samples)).round(1)
        target = prepare(y, n_neighbors, marginals="rank")
        assert_all_same_bits(every_instruction_set(lambda t=target: score(X, t)))
    assert_all_same_bits(every_instruction_set(lambda: ranks(X, seed=3, columns=range(3))))


def assert_all_same_bits(results):
    first = next(iter(results.values()))
    for name, result in results.items():
        np.testing.assert_array_equal(result, first, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_samples", [2, 9, 64, 300, 3_000])
def test_all_kinds__have_the_same_bits(every_instruction_set, kind, n_samples):
    rng = np.random.default_rng(n_samples)
    X, y = block_of_kinds(rng, n_samples), KINDS[kind](rng, n_samples)
    for k in {1, min(3, n_samples - 1), min(12, n_samples - 1)}:
        for prepare in (continuous_target, discrete_target):
            for marginals in ("raw", "rank"):
                target = prepare(y, k, marginals=marginals)
                for discrete in (False, True):
                    assert_all_same_bits(
                        every_instruction_set(lambda t=target, d=discrete: score(X, t, discrete=d))
                    )


@pytest.mark.parametrize("prepare", [continuous_target, discrete_target])
@pytest.mark.parametrize("kind", ["normal", "ages", "zero_inflated", "float16"])
@pytest.mark.parametrize("marginals", ["raw", "rank"])
@pytest.mark.parametrize("n_samples", [9, 300, 2_000])
def test_gaps_and_several_targets__have_the_same_bits(
    every_instruction_set, prepare, kind, n_samples, marginals
):
    rng = np.random.default_rng(n_samples)
    X = block_of_kinds(rng, n_samples)
    X = np.where(rng.random(X.shape) < rng.choice([0.0, 0.02, 0.5], X.shape[1]), np.nan, X)
    targets = [
        prepare(KINDS[name](rng, n_samples), marginals=marginals)
        for name in (kind, "normal", "tied")
    ]
    for discrete in (False, True):
        arguments = {
            "columns": np.arange(X.shape[1]),
            "discrete": np.full(X.shape[1], discrete),
            "min_observed": 5,
        }
        for chosen in (targets, targets[:1]):
            assert_all_same_bits(
                every_instruction_set(
                    lambda t=chosen, a=arguments: everything(mutual_information(X, t, **a))
                )
            )


@pytest.mark.parametrize("dtype", ["f2", "f4", "i8", "u1"])
def test_standardized_columns__have_the_same_bits(every_instruction_set, dtype):
    X = np.abs(np.random.default_rng(1).normal(size=(1_003, 9)) * 20).astype(dtype)
    assert_all_same_bits(
        every_instruction_set(lambda: standardize_adjacent(X, seed=2**40, first_column=7))
    )


def test_config__tells_what_is_used(every_instruction_set):
    assert get_config()["available"] == AVAILABLE
    assert get_config()["variable"] == "SKPAR_SELECT_ISA"
    used = every_instruction_set(lambda: get_config()["instruction_set"])
    assert used == {name: name for name in AVAILABLE}


def test_change_while_threads_score__changes_no_bit(every_instruction_set):
    # and under ThreadSanitizer the choice is no race
    rng = np.random.default_rng(3)
    X, y = block_of_kinds(rng, 300), rng.normal(size=300)
    cases = [
        (continuous_target(y), False),
        (continuous_target(y), True),
        (discrete_target(y > 0), False),
    ]
    with ThreadPoolExecutor(4) as pool:
        together = [
            [pool.submit(score, X, target, discrete=discrete) for _ in range(50)]
            for target, discrete in cases
        ]
        while not all(future.done() for futures in together for future in futures):
            every_instruction_set(lambda: None)
    for (target, discrete), futures in zip(cases, together, strict=True):
        alone = score(X, target, discrete=discrete)
        for future in futures:
            np.testing.assert_array_equal(future.result(), alone)


def test_target__is_read_by_every_instruction_set_whichever_was_chosen_when_it_was_made(
    every_instruction_set,
):
    rng = np.random.default_rng(3)
    X, y = block_of_kinds(rng, 300), rng.integers(0, 5, size=300)
    for prepare in (continuous_target, discrete_target):
        for target in every_instruction_set(lambda prepare=prepare: prepare(y)).values():
            assert_all_same_bits(every_instruction_set(lambda target=target: score(X, target)))


def test_none__is_the_best(every_instruction_set):
    chosen = every_instruction_set(
        lambda: (_config.choose_instruction_set(None), _kernels.instruction_set())[1]
    )
    assert set(chosen.values()) == {AVAILABLE[-1]}


def test_baseline__is_everywhere():
    assert AVAILABLE[0] == "baseline"


@pytest.mark.parametrize("name", ["sse9", "", "AVX2", " baseline"])
def test_unknown_name__raises(name):
    before = _kernels.instruction_set()
    with pytest.raises(ValueError, match="is not available"):
        _kernels.use_instruction_set(name)
    assert _kernels.instruction_set() == before


def run_with(value):
    code = "from skpar_select.kernels import get_config; print(get_config()['instruction_set'])"
    environment = {key: v for key, v in os.environ.items() if key != "SKPAR_SELECT_ISA"}
    if value is not None:
        environment["SKPAR_SELECT_ISA"] = value
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("name", AVAILABLE)
def test_environment_variable__forces_one(name):
    done = run_with(name)
    assert done.stdout.strip() == name, done.stderr


@pytest.mark.parametrize("value", [None, ""])
def test_environment_variable__unset_or_empty_leaves_the_best(value):
    done = run_with(value)
    assert done.stdout.strip() == AVAILABLE[-1], done.stderr


def test_environment_variable__names_value_rule_and_remedy():
    done = run_with("quantum")
    assert done.returncode != 0
    assert "SKPAR_SELECT_ISA='quantum' is not available here" in done.stderr
    assert f"must be one of {', '.join(AVAILABLE)}" in done.stderr
    assert "Unset it" in done.stderr
