"""Several targets in one call: each has the bits of a call of its own."""

import numpy as np
import pytest
from kinds import KINDS, adjacent, block_of_kinds, continuous_target, discrete_target

from skpar_select.kernels import mutual_information

PREPARE = {"continuous": continuous_target, "discrete": discrete_target}


def targets_of(rng, n_samples, prepare):
    """Give targets of many kinds, with numbers of neighbours of their own."""
    of_kinds = [make(rng, n_samples) for make in KINDS.values()]
    some_alone = np.where(rng.random(n_samples) < 0.3, np.arange(n_samples), -1)
    columns = [*of_kinds, some_alone, of_kinds[0].round(), rng.permutation(n_samples)]
    return [prepare(y, 1 + i % min(12, n_samples - 1), 7) for i, y in enumerate(columns)]


def gaps_in_some(rng, block):
    block = block.copy()
    block[:, ::3] = np.where(rng.random(block[:, ::3].shape) < 0.1, np.nan, block[:, ::3])
    return block


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("n_samples", [2, 3, 9, 64, 300, 1_500])
def test_each_target__has_the_bits_of_a_call_of_its_own(prepare, order, n_samples):
    rng = np.random.default_rng(n_samples)
    targets = targets_of(rng, n_samples, prepare)
    labels = rng.integers(0, max(2, n_samples // 2), (n_samples, 3))
    X = np.column_stack([block_of_kinds(rng, n_samples), labels])
    p = X.shape[1]
    for block, min_observed in ((X, None), (X, 0), (gaps_in_some(rng, X), n_samples // 2)):
        view = np.asarray(block, order=order)
        for discrete in (np.zeros(p, bool), np.ones(p, bool), np.arange(p) % 2 == 0):
            arguments = {
                "columns": adjacent(5, p),
                "discrete": discrete,
                "min_observed": min_observed,
            }
            scores, n_observed, _ = mutual_information(view, targets, **arguments)
            assert scores.shape == (len(targets), p)
            for target, row in zip(targets, scores, strict=True):
                alone, n_alone, _ = mutual_information(view, [target], **arguments)
                np.testing.assert_array_equal(row, alone[0])
                np.testing.assert_array_equal(n_observed, n_alone)


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
def test_order_and_repetition_of_targets__change_no_bit(prepare):
    rng = np.random.default_rng(4)
    X = block_of_kinds(rng, 120)
    targets = targets_of(rng, 120, prepare)
    p = X.shape[1]
    arguments = {"columns": adjacent(0, p), "discrete": np.arange(p) % 2 == 0}
    before = mutual_information(X, targets, **arguments).scores
    order = rng.integers(0, len(targets), 30)
    after = mutual_information(X, [targets[i] for i in order], **arguments).scores
    np.testing.assert_array_equal(after, before[order])


def test_values_that_are_equal_after_the_noise__keep_the_order_of_each_target():
    # 4,096 values in a space of 6 * 2**20 sums of noise, 40 times: a hundred pairs are equal, and
    # which comes first moves the order of a sum
    rng = np.random.default_rng(4)
    n = 4_096
    X = np.column_stack([np.repeat([0.0, 1.0], n // 2)[rng.permutation(n)] for _ in range(40)])
    targets = [continuous_target(rng.normal(size=n)) for _ in range(3)]
    arguments = {"columns": adjacent(0, 40), "discrete": np.zeros(40, bool)}
    scores = mutual_information(X, targets, **arguments).scores
    for target, row in zip(targets, scores, strict=True):
        np.testing.assert_array_equal(row, mutual_information(X, [target], **arguments)[0][0])


@pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)
def test_targets_that_do_not_belong_together__raise(prepare):
    y = np.arange(30) % 4
    arguments = {"columns": [0, 1], "discrete": [False, True]}
    block = np.random.default_rng(0).normal(size=(30, 2))
    other = discrete_target if prepare is continuous_target else continuous_target
    for stranger in (prepare(y[1:]), prepare(y, seed=1), other(y), prepare(y, marginals="rank")):
        with pytest.raises(ValueError, match="targets: of the same number of samples, seed"):
            mutual_information(block, [prepare(y), stranger], **arguments)
    with pytest.raises(ValueError, match="targets: at least one"):
        mutual_information(block, [], **arguments)
