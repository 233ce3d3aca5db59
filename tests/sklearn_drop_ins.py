"""A pytest plugin that puts this package's functions in the place of scikit-learn's.

It must be loaded before scikit-learn's test modules: `python -m pytest -p sklearn_drop_ins`.
"""

import naive
import numpy as np
import sklearn.feature_selection
from kinds import clipped, score
from sklearn.feature_selection import _mutual_info

import skpar_select
from skpar_select.kernels import prepare_target


def compute_mi(x, y, x_discrete, y_discrete, n_neighbors=3):
    """Stand in for scikit-learn's private function of one pair."""
    if not x_discrete and not y_discrete:
        # Its callers have scaled both sides; called directly it takes them as they are, which the
        # kernel never does: here the naive twin is what is tested.
        return max(0.0, naive.kraskov(np.asarray(x), np.asarray(y), n_neighbors))
    target = prepare_target(y, discrete=y_discrete, n_neighbors=n_neighbors, seed=0)
    return clipped(score(np.asarray(x)[:, np.newaxis], target, discrete=x_discrete))[0]


for module in (sklearn.feature_selection, _mutual_info):
    module.mutual_info_regression = skpar_select.mutual_info_regression
    module.mutual_info_classif = skpar_select.mutual_info_classif
_mutual_info._compute_mi = compute_mi
