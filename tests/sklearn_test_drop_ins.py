"""A pytest plugin that puts this package's tests of independence in the place of scikit-learn's F-tests.

It must be loaded before scikit-learn's test modules: `python -m pytest -p sklearn_test_drop_ins`.
"""

from functools import partial

import sklearn.feature_selection

import skpar_select

sklearn.feature_selection.f_regression = partial(
    skpar_select.mutual_info_regression_test, random_state=0, test="combined"
)
sklearn.feature_selection.f_classif = partial(skpar_select.mutual_info_classif_test, random_state=0)
