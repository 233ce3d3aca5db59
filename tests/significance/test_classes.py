import numpy as np
import pytest
from scipy import stats
from scipy.special import xlogy

from skpar_select.significance import log_pvalues_of_classes


def information(table):
    """The plug-in estimate in nats, from its definition."""
    table = np.asarray(table, dtype=float)
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    return xlogy(
        table / n, np.where(table > 0, table / np.where(expected > 0, expected, 1), 1)
    ).sum()


def margins(table):
    table = np.asarray(table)
    return table.sum(axis=1), table.sum(axis=0)


def log_p(tables, column=0, seed=0):
    scores = np.array([[information(table)] for table in tables])
    return log_pvalues_of_classes(
        scores, [[margins(table)] for table in tables], columns=[column], seed=seed
    )[0]


def williams(table):
    """The textbook's correction: what is added to 1."""
    n, (rows, others) = table.sum(), margins(table)
    cells = (len(rows) - 1) * (len(others) - 1)
    return (n * (1 / rows).sum() - 1) * (n * (1 / others).sum() - 1) / (6 * n * cells)


def test_log_pvalues_of_classes__of_a_full_table_are_those_of_the_corrected_likelihood_ratio():
    table = np.array([[30, 20, 25], [20, 40, 15]])
    g = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").statistic
    assert log_p([table]) == pytest.approx(stats.chi2.logsf(g / (1 + williams(table)), 2))


@pytest.mark.parametrize("shape", [(10, 10, 500), (10, 10, 1000), (2, 10, 100), (30, 30, 9000)])
def test_log_pvalues_of_classes__of_many_cells_are_not_too_small(shape):
    n_rows, n_others, n = shape
    sizes = [np.full(count, n // count) for count in (n_rows, n_others)]
    tables = stats.random_table(*sizes).rvs(size=400, random_state=0)
    scores = np.array([[information(table) for table in tables]])
    pairs = [[tuple(sizes)] * 400]
    p = np.exp(log_pvalues_of_classes(scores, pairs, columns=range(400), seed=0))
    for a in (0.05, 0.2):
        assert np.mean(p <= a) <= a + 3 * np.sqrt(a / 400)


def test_log_pvalues_of_classes__of_samples_that_are_all_alone_are_1():
    alone, sizes = np.ones(5000, dtype=int), np.array([2500, 2499, 1])
    score = np.array([[1.0]])
    for pair in ((alone, sizes), (sizes, alone)):
        assert log_pvalues_of_classes(score, [[pair]], columns=[0], seed=0)[0] == 0.0


def test_log_pvalues_of_classes__add_up_over_strata():
    tables = [np.array([[30, 20, 25], [20, 40, 15]]), np.array([[15, 20], [25, 15]])]
    g = sum(2 * table.sum() * information(table) for table in tables)
    excess = (2 * williams(tables[0]) + williams(tables[1])) / 3
    assert log_p(tables) == pytest.approx(stats.chi2.logsf(g / (1 + excess), 3))


def test_log_pvalues_of_classes__of_a_strong_column_do_not_underflow():
    assert log_p([np.diag([4000, 4000])]) == pytest.approx(-5550, rel=0.01)
    assert np.isfinite(log_p([np.diag([400_000, 400_000])]))


def exact_p(table):
    """Of a table of two rows, by all that have its margins."""
    (rows, others), p = margins(table), 0.0
    for first in np.ndindex(*(others + 1)):
        first = np.array(first)
        if first.sum() != rows[0]:
            continue
        chance = stats.multivariate_hypergeom.pmf(first, others, rows[0])
        if information([first, others - first]) >= information(table) - 1e-12:
            p += chance
    return p


@pytest.mark.parametrize("table", [[[2, 6], [0, 24]], [[4, 0], [3, 30]], [[20, 1], [2, 18]]])
def test_log_pvalues_of_classes__of_two_by_two_classes_are_exact(table):
    assert log_p([table]) == pytest.approx(np.log(exact_p(table)), rel=1e-9)


def test_log_pvalues_of_classes__of_two_by_two_classes_do_not_underflow():
    # one table of all 2,000 choose 3
    table = [[3, 0], [0, 1997]]
    assert log_p([table]) == pytest.approx(-np.log(2000 * 1999 * 1998 / 6))


def test_log_pvalues_of_classes__of_a_thin_table_are_those_of_its_margins():
    table = np.array([[2, 6, 5], [0, 24, 3]])
    drawn = np.exp([log_p([table], column) for column in range(20)])
    # each rests on 20 exceedances: together +-5 %
    assert drawn.mean() == pytest.approx(exact_p(table), rel=0.25)


def test_log_pvalues_of_classes__depend_on_seed_and_column_alone():
    table = np.array([[2, 6, 5], [1, 24, 3]])
    assert log_p([table], 5, 1) == log_p([table], 5, 1)
    assert log_p([table], 5, 1) != log_p([table], 6, 1)
    assert log_p([table], 5, 1) != log_p([table], 5, 2)
    scores = np.full((1, 2), information(table))
    together = log_pvalues_of_classes(scores, [[margins(table)] * 2], columns=[4, 5], seed=1)
    assert together[1] == log_p([table], 5, 1)


def test_log_pvalues_of_classes__of_thin_tables_are_never_too_small():
    rng = np.random.default_rng(5)
    column, target = np.repeat([0, 1], [5, 35]), np.repeat([0, 1, 2], [20, 15, 5])
    p = []
    for index in range(400):
        table = np.zeros((2, 3), dtype=int)
        np.add.at(table, (column, rng.permutation(target)), 1)
        p.append(np.exp(log_p([table], index)))
    for level in (0.05, 0.1, 0.3, 0.5):
        share = np.mean(np.array(p) <= level)
        assert share <= level + 4 * np.sqrt(level * (1 - level) / 400)


def test_log_pvalues_of_classes__of_the_observed_margins_count_equal_tables():
    # One table has these margins: it is the observed one, whatever rounding makes of its score.
    table = np.array([[7, 6, 12]])
    assert log_p([table]) == 0.0
    only = np.array([[1, 0], [0, 30]])
    assert log_p([only]) == pytest.approx(np.log(1 / 31))
    table = np.array([[1, 1, 0], [15, 0, 1]])
    turned = np.array([[15, 0, 1], [1, 1, 0]])
    assert log_p([table]) == log_p([turned])


def test_log_pvalues_of_classes__without_a_score_are_missing():
    scores = np.array([[np.nan, 0.0], [np.nan, np.nan]])
    log_p = log_pvalues_of_classes(
        scores, [[None, ([5, 0], [2, 3])], [None, None]], columns=[0, 1], seed=0
    )
    np.testing.assert_array_equal(log_p, [np.nan, 0.0])
