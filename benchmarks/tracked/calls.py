"""Whole calls of both packages, and the kernel alone, on columns not seen before."""

import numpy as np
import sklearn.feature_selection
from columns import KINDS, N_REAL, cases

import skpar_select
from skpar_select.kernels import mutual_information, prepare_target

PROBLEMS = [case.name for case in cases(500)]


class Problem:
    """Fresh columns before every call: asv repeats the set-up where a sample is one call."""

    number = 1
    rounds = 1
    warmup_time = 0  # it would show a column before it is timed
    repeat = 5
    timeout = 300
    param_names = ("n_samples", "problem")
    params = ([500, 1_000, N_REAL, 50_000], PROBLEMS)
    package = skpar_select
    width = 256

    def setup(self, n_samples, problem):
        case = next(case for case in cases(n_samples) if case.name == problem)
        kind = "classif" if case.classification else "regression"
        self.function = getattr(self.package, f"mutual_info_{kind}")
        self.case = case
        self.X = case.make(np.random.default_rng(), self.width)

    def call(self, n_jobs):
        case = self.case
        self.function(
            self.X, case.y, discrete_features=case.discrete, random_state=0, n_jobs=n_jobs
        )


class Calls(Problem):
    """256 columns."""

    def time_one_job(self, *_):
        self.call(1)

    def time_two_jobs(self, *_):
        self.call(2)


class ScikitLearn(Problem):
    """Four columns: the yardstick, whose cost per column does not depend on their number."""

    package = sklearn.feature_selection
    width = 4

    def time_one_job(self, *_):
        self.call(1)


class Scaling:
    """The kernel alone; asv's unit is seconds, for 2,000,000 numbers at every size."""

    number = 1
    rounds = 1
    warmup_time = 0  # it would show a column before it is timed
    repeat = 5
    timeout = 300
    param_names = ("n_samples", "column", "target")
    params = ([1_000, 10_000, 100_000, 1_000_000], list(KINDS), list(KINDS))

    def setup(self, n_samples, column, target):
        rng = np.random.default_rng()
        width = 2_000_000 // n_samples
        y = KINDS[target](rng, n_samples)
        self.target = prepare_target(y, discrete=False, n_neighbors=3, seed=0)
        self.X = KINDS[column](rng, (n_samples, width))
        self.columns = np.arange(width, dtype=np.uint64)
        self.discrete = np.zeros(width, dtype=bool)

    def time_kernel(self, *_):
        mutual_information(self.X, [self.target], columns=self.columns, discrete=self.discrete)


class Memory:
    """The peak of a process that holds the input, 160 MB, and scores it."""

    def setup(self):
        rng = np.random.default_rng(0)
        self.X = rng.standard_normal((2_000, 20_000), dtype=np.float32)
        self.y = rng.standard_normal(2_000)

    def peakmem_wide_matrix(self):
        skpar_select.mutual_info_regression(self.X, self.y, random_state=0)
