"""Shards of a fit: merged, they are the fit, to the bit."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_selection import f_classif

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.scoring import ScoreStore
from skpar_select.sharding import merge_shards, score_shard

RESULTS = (
    "scores_",
    "n_observed_",
    "scores_by_target_",
    "log_pvalues_",
    "pvalues_",
    "qvalues_",
    "rho_",
    "feature_names_in_",
)
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 30)).astype(np.float32)
GAPS = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
Y = X[:, 3] + RNG.normal(size=60)
CLASSES = np.where(Y > 0, "b", "a")


@pytest.fixture
def sharded(tmp_path):
    """Score so many shards in random order, and merge them."""

    def sharded(make, matrix, y, count, **rules):
        parts = [tmp_path / f"part{number}" for number in range(1, count + 1)]
        for place in np.random.default_rng(count).permutation(count):
            selector = make(n_jobs=1 + place % 2, memory_budget=["10MB", "auto"][place % 2])
            score_shard(selector, matrix, y, parts[place], shard=(int(place) + 1, count))
        return merge_shards(parts[::-1], **rules)

    return sharded


def same(one, other):
    def bits(value):
        if value is None or np.asarray(value).dtype == object:
            return value if value is None else list(value)
        return np.asarray(value).dtype, np.asarray(value).tobytes()

    for name in RESULTS:
        assert bits(getattr(one, name, None)) == bits(getattr(other, name, None)), name
    assert one.get_support().tolist() == other.get_support().tolist()
    return True


def selecting(**parameters):
    return lambda **more: ParallelMutualInfoSelector(**parameters, **more)


@pytest.mark.parametrize(
    ("parameters", "values", "y"),
    [
        ({}, X, Y),
        ({"random_state": 7}, np.round(X), np.round(Y)),
        ({"task": "classification", "n_neighbors": 4}, X, CLASSES),
        ({"missing": "omit", "min_observed": 0.9}, GAPS, Y),
        ({"missing": "omit"}, GAPS, np.column_stack([Y, np.where(Y > 1, np.nan, X[:, 5])])),
        ({"discrete_features": [1, 4, 29]}, np.round(X), Y),
    ],
    ids=["regression", "ties", "classification", "omit", "targets", "discrete"],
)
@pytest.mark.parametrize("count", [1, 4, 40])
@pytest.mark.filterwarnings("ignore:.* columns were not scored")
@pytest.mark.filterwarnings("ignore:Of 60 samples some have no target")
def test_merged_shards__are_the_fit(sharded, write_h5, parameters, values, y, count):
    matrix = open_matrix(write_h5(values, chunks=(20, 4), compression="gzip"))
    make = selecting(**parameters)
    merged = sharded(make, matrix, y, count, k=5)
    whole = make().set_params(k=5, random_state=parameters.get("random_state", 0)).fit(matrix, y)
    assert same(merged, whole)
    assert merged.transform(matrix).tobytes() == whole.transform(matrix).tobytes()


def test_merged_shards__of_a_function_have_its_pvalues(sharded):
    # The last bits of its sums depend on the width of a block.
    merged = sharded(selecting(score_func=f_classif), X, CLASSES, 3)
    scores, pvalues = f_classif(X, CLASSES)
    np.testing.assert_allclose(merged.scores_, scores, rtol=1e-5)
    np.testing.assert_allclose(merged.pvalues_, pvalues, rtol=1e-4)


STRATA = np.array(["F", "M"])[np.arange(60) % 2]
COVARIATES = RNG.normal(size=(60, 2))


@pytest.mark.parametrize(
    ("parameters", "values", "y", "confounders"),
    [
        ({}, X, Y, {}),
        ({"test": "combined", "marginals": "rank", "test_neighbors": 5}, X, Y, {}),
        ({}, X, Y, {"strata": STRATA}),
        ({"covariate_knots": 4}, X, Y, {"strata": STRATA, "covariates": COVARIATES[:, 0]}),
        ({"task": "classification"}, X, CLASSES, {"strata": STRATA}),
        ({"missing": "omit"}, GAPS, np.column_stack([Y, X[:, 5]]), {}),
    ],
    ids=["plain", "combined", "strata", "covariates", "classification", "targets"],
)
@pytest.mark.filterwarnings("ignore:.* columns were not scored")
@pytest.mark.filterwarnings("ignore:.* columns pass fdr")
@pytest.mark.parametrize("method", ["bh", "by"])
def test_merged_shards__have_the_pvalues_and_qvalues_of_the_fit(
    tmp_path, write_h5, parameters, values, y, confounders, method
):
    matrix = open_matrix(write_h5(values, chunks=(20, 4)))
    selector = ParallelMutualInfoSelector(pvalues=True, random_state=0, **parameters)
    parts = [tmp_path / f"part{number}" for number in (1, 2, 3)]
    for number, part in enumerate(parts, start=1):
        score_shard(selector, matrix, y, part, shard=(number, 3), **confounders)
    rules = {"fdr": 0.3, "fdr_method": method}
    whole = selector.set_params(**rules).fit(matrix, y, **confounders)
    merged = merge_shards(parts, **rules)
    assert same(merged, whole)
    assert 0 < merged.get_support().sum() < 30
    merged.set_params(fdr=None, fwer=1e-3)
    assert (
        merged.get_support().tolist()
        == selector.set_params(fdr=None, fwer=1e-3).get_support().tolist()
    )


@pytest.mark.parametrize("rule", ["fdr", "fwer", "fpr"])
def test_merge__by_an_error_rate_needs_pvalues(sharded, rule):
    message = rf"{rule}=0.05 is given, and the parts hold no p-values\. .* with pvalues=True, or"
    with pytest.raises(ValueError, match=message):
        sharded(selecting(), X, Y, 2, **{rule: 0.05})


@pytest.mark.parametrize(
    ("parameters", "confounders", "differs"),
    [
        ({"pvalues": False}, {"strata": STRATA}, "test"),
        ({"test": "combined"}, {"strata": STRATA}, "test"),
        ({}, {"strata": STRATA[::-1]}, "another strata"),
        ({}, {"strata": STRATA, "covariates": COVARIATES}, "another covariates"),
    ],
)
def test_merge__refuses_parts_of_other_tests_and_confounders(
    tmp_path, parameters, confounders, differs
):
    for number in (1, 2):
        selector = ParallelMutualInfoSelector(pvalues=True)
        score_shard(selector, X, Y, tmp_path / f"{number}", shard=(number, 3), strata=STRATA)
    selector = ParallelMutualInfoSelector(**{"pvalues": True} | parameters)
    score_shard(selector, X, Y, tmp_path / "3", shard=(3, 3), **confounders)
    with pytest.raises(ValueError, match=rf"3' is of another run than .*{differs}"):
        merge_shards([tmp_path / f"{number}" for number in (1, 2, 3)])


def test_merged_shards__of_columns_in_any_order_are_the_fit(sharded, write_h5):
    matrix = open_matrix(write_h5(X, chunks=(60, 4)))[:, RNG.permutation(30)[:20]]
    whole = ParallelMutualInfoSelector(random_state=0).fit(matrix, Y)
    assert same(sharded(selecting(), matrix, Y, 3), whole)


def test_merged_shards__of_an_array_are_the_fit(sharded):
    whole = ParallelMutualInfoSelector(random_state=0).fit(X, Y)
    assert same(sharded(selecting(), X, Y, 3), whole)


@pytest.mark.parametrize(
    "rules",
    [{"k": 0.5}, {"threshold": 0.1}, {"percentile": 20}, {"k": 3, "aggregate": "mean"}],
    ids=str,
)
def test_rules__are_those_of_the_merge(sharded, rules):
    y = np.column_stack([Y, X[:, 5]])
    whole = ParallelMutualInfoSelector(random_state=0, **rules).fit(X, y)
    assert same(sharded(selecting(), X, y, 2, **rules), whole)


def test_selector__that_scores_a_shard_is_not_changed(tmp_path):
    selector = ParallelMutualInfoSelector()
    before = dict(vars(selector))
    score_shard(selector, X, Y, tmp_path / "part", shard=(1, 2))
    assert vars(selector) == before


def test_copies_of_a_file__count_as_the_same_wherever_they_are(tmp_path, write_h5):
    here = Path(write_h5(X, chunks=(20, 4)))
    (tmp_path / "elsewhere").mkdir()
    there = Path(shutil.copy2(here, tmp_path / "elsewhere" / "other.h5"))
    for number, file in enumerate((here, there), start=1):
        part = tmp_path / f"part{number}"
        score_shard(ParallelMutualInfoSelector(), open_matrix(file), Y, part, shard=(number, 2))
    whole = ParallelMutualInfoSelector(random_state=0).fit(open_matrix(here), Y)
    assert same(merge_shards([tmp_path / "part1", tmp_path / "part2"]), whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: (ParallelMutualInfoSelector(), X + 1, Y), "another matrix"),
        (lambda: (ParallelMutualInfoSelector(), X[::-1], Y), "another matrix"),
        (lambda: (ParallelMutualInfoSelector(), X, Y + 1), "another target"),
        (lambda: (ParallelMutualInfoSelector(random_state=1), X, Y), "another random_state"),
        (lambda: (ParallelMutualInfoSelector(n_neighbors=4), X, Y), "n_neighbors=4, not 3"),
        (lambda: (ParallelMutualInfoSelector(missing="omit"), X, Y), "missing='omit', not 'raise'"),
    ],
)
def test_part__of_another_run_is_refused(tmp_path, change, said):
    score_shard(ParallelMutualInfoSelector(), X, Y, tmp_path / "one", shard=(1, 3))
    score_shard(ParallelMutualInfoSelector(), X, Y, tmp_path / "two", shard=(2, 3))
    selector, values, y = change()
    score_shard(selector, values, y, tmp_path / "three", shard=(3, 3))
    with pytest.raises(ValueError, match=f"three' is of another run than .*{said}"):
        merge_shards([tmp_path / name for name in ("one", "two", "three")])


def test_function__of_which_nothing_is_known_is_refused(tmp_path):
    selector = ParallelMutualInfoSelector(score_func=lambda X, y: X.sum(axis=0))
    with pytest.raises(ValueError, match="function stands by its name in no module"):
        score_shard(selector, X, Y, tmp_path / "part", shard=(1, 2))


def test_values_that_are_not_finite__are_counted_in_the_shard(tmp_path, write_h5):
    values = X.copy()
    values[3, [2, 20]] = np.nan
    matrix = open_matrix(write_h5(values, chunks=(60, 4)))
    with pytest.raises(ValueError, match=r"1 value in 1 column, 'f2' \(1 NaN\)"):
        score_shard(ParallelMutualInfoSelector(), matrix, Y, tmp_path / "part", shard=(1, 2))
    assert not (tmp_path / "part").exists()


def test_part__replaces_nothing_and_no_input(tmp_path, write_h5):
    path = write_h5(X)
    selector = ParallelMutualInfoSelector()
    with pytest.raises(ValueError, match="is an input"):
        score_shard(selector, open_matrix(path), Y, path, shard=(1, 2), overwrite=True)
    (tmp_path / "part").write_text("mine")
    with pytest.raises(FileExistsError):
        score_shard(selector, X, Y, tmp_path / "part", shard=(1, 2))
    with pytest.raises(ValueError, match="shard='3/2' is none"):
        score_shard(selector, X, Y, tmp_path / "part", shard=(3, 2))
    assert (tmp_path / "part").read_text() == "mine"


def test_store__lets_a_shard_go_on_and_serves_the_whole(tmp_path, write_h5):
    told = []
    matrix = open_matrix(write_h5(X, chunks=(60, 4)))

    def selector():
        return ParallelMutualInfoSelector(store=ScoreStore(tmp_path / "store", tell=told.append))

    for number in (1, 2, 2):
        part = tmp_path / f"part{number}"
        score_shard(selector(), matrix, Y, part, shard=(number, 2), overwrite=True)
    whole = selector().fit(matrix, Y)
    assert [line.partition("holds ")[2][:8] for line in told] == [
        "16 of 30",
        "30 of 30",
        "30 of 30",
    ]
    assert same(merge_shards([tmp_path / "part1", tmp_path / "part2"]), whole)


def test_layout__for_which_each_shard_reads_much_is_a_warning(tmp_path):
    # 100 MB of zeros that take no disk, in rows: 16 KiB of each for a shard.
    with (tmp_path / "x.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (100, 131_072)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 100 * 131_072 * 8)
    matrix = open_matrix(tmp_path / "x.npy")
    with pytest.warns(
        UserWarning, match=r"shard='3/64' reads 6\.6 MB of the 104\.9 MB .* for 1\.56 %"
    ):
        score_shard(
            ParallelMutualInfoSelector(),
            matrix,
            RNG.normal(size=100),
            tmp_path / "part",
            shard=(3, 64),
        )


def test_shard__may_be_text_and_nothing_else(tmp_path):
    X = np.random.default_rng(0).normal(size=(40, 6))
    for number, shard in enumerate(["1/2", (2, 2)]):
        score_shard(ParallelMutualInfoSelector(), X, X[:, 0], tmp_path / f"{number}", shard=shard)
    merge_shards([tmp_path / "1", tmp_path / "0"])
    for wrong in ("2", "a/b", "3/2", "0/4", ""):
        with pytest.raises(ValueError, match=r"shard='.*' is none.*Give one"):
            score_shard(ParallelMutualInfoSelector(), X, X[:, 0], tmp_path / "x", shard=wrong)
    with pytest.raises(TypeError, match=r"is one path.*Give a list"):
        merge_shards(str(tmp_path / "0"))
