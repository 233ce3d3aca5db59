"""Every scorer and every sink passes the suite that is shipped for those of others."""

import io

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import pearsonr
from scorings import function_scorer
from sklearn.feature_selection import f_classif, f_regression

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring import (
    Assembler,
    CallbackSupportMixin,
    DiscreteFeatures,
    MutualInformation,
    ProgressLine,
    ProgressLog,
    ScoreStore,
    Targets,
)
from skpar_select.scoring._fingerprint import Fingerprint
from skpar_select.scoring._progress import CallbackTasks
from skpar_select.testing import ScorerConformance, SinkConformance

N_SAMPLES, N_FEATURES = 50, 12


@pytest.fixture
def values():
    """Quantities, ties and classes."""
    values = np.random.default_rng(0).normal(size=(N_SAMPLES, N_FEATURES))
    values[:, ::3] = values[:, ::3].round(1)
    values[:, ::4] = values[:, ::4].round()
    return values


def mutual_information(task, discrete, n_features=N_FEATURES, marginals="raw"):
    y = np.random.default_rng(1).normal(size=N_SAMPLES)
    y = y if task == "regression" else np.digitize(y, [-0.5, 0.5])
    return MutualInformation(
        Targets(y, N_SAMPLES, task=task, omit=False),
        task=task,
        discrete=DiscreteFeatures(discrete, n_features, sparse=False),
        n_neighbors=3,
        random_state=0,
        marginals=marginals,
    )


class TestMutualInformation(ScorerConformance):
    """The four kinds of pairs, and a block of both kinds of columns."""

    @pytest.fixture(params=["f8", "f4", ">f8", "i4"])
    def dtype(self, request):
        return request.param

    @pytest.fixture(params=[False, True, np.arange(0, N_FEATURES, 4)], ids=["no", "all", "some"])
    def discrete(self, request):
        return request.param

    @pytest.fixture(params=["raw", "rank"])
    def marginals(self, request):
        return request.param

    @pytest.fixture(params=["regression", "classification"])
    def case(self, request, values, discrete, dtype, marginals):
        scorer = mutual_information(request.param, discrete, marginals=marginals)
        return scorer, values.astype(dtype)


def f_and_p_by_column(X, y):
    """Scores and p-values, of each column for itself."""
    results = [pearsonr(np.ascontiguousarray(X[:, column]), y) for column in range(X.shape[1])]
    return [result.statistic for result in results], [result.pvalue for result in results]


def sums_by_column(X, y):
    return [float(X[:, [column]].T.dot(y)[0]) for column in range(X.shape[1])]


class TestFunctionOfScoresAndPvalues(ScorerConformance):
    @pytest.fixture
    def case(self, values):
        return function_scorer(f_and_p_by_column, values[:, 0] + values[:, 1], N_SAMPLES), values


class TestFunctionOfScikitLearn(ScorerConformance):
    rtol = 1e-9  # a product of matrices, whose sums depend on the shape

    @pytest.fixture
    def case(self, values):
        y = values[:, 0] + values[:, 1] + np.random.default_rng(2).normal(size=N_SAMPLES)
        return function_scorer(f_regression, y, N_SAMPLES), values


class TestPermutedFunction(ScorerConformance):
    """Strata, and values that tie."""

    @pytest.fixture
    def case(self, values):
        strata = np.arange(N_SAMPLES) % 3
        options = {"n_permutations": 19, "strata": strata, "random_state": 0}
        y = values[:, 0] + values[:, 1]
        return function_scorer(sums_by_column, y, N_SAMPLES, **options), values


class TestPermutedFunctionOfScikitLearn(ScorerConformance):
    rtol = 1e-9

    @pytest.fixture
    def case(self, values):
        y = np.where(values[:, 0] > 0, "old", "young")
        options = {"n_permutations": 49, "random_state": 0, "min_observed": 3}
        return function_scorer(f_classif, y, N_SAMPLES, **options), values.astype("f4")

    takes_nan = True


class TestFunctionOfSparseBlocks(ScorerConformance):
    @pytest.fixture
    def case(self, values):
        return function_scorer(sums_by_column, values[:, 1], N_SAMPLES), sparse.csc_array(values)


class TestAssembler(SinkConformance):
    @pytest.fixture
    def sink(self):
        return Assembler(40)


class TestProgressLine(SinkConformance):
    @pytest.fixture
    def sink(self):
        return ProgressLine(io.StringIO())


class TestProgressLog(SinkConformance):
    @pytest.fixture
    def sink(self):
        return ProgressLog(io.StringIO())


class TestEntry(SinkConformance):
    @pytest.fixture
    def sink(self, tmp_path):
        with ScoreStore(tmp_path).entry(Fingerprint("0" * 64, {}), 40) as entry:
            yield entry


@pytest.mark.skipif(
    not hasattr(CallbackSupportMixin, "set_callbacks"), reason="came with scikit-learn 1.9"
)
class TestCallbackTasks(SinkConformance):
    @pytest.fixture
    def sink(self):
        return CallbackTasks(ParallelMutualInfoSelector(), np.zeros((10, 40)), np.zeros(10))
