"""How many of the columns with a p-value as small are false: p-values of many tests, in logarithms."""

from typing import Literal

import numpy as np
from scipy.special import digamma

from skpar_select._typing import FloatArray


def log_qvalues(log_pvalues: FloatArray, method: Literal["bh", "by"] = "bh") -> FloatArray:
    """Return the logarithm of the least false discovery rate at which each column passes.

    "bh" is Y. Benjamini and Y. Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x; "by" Y. Benjamini
    and D. Yekutieli 2001, doi:10.1214/aos/1013699998, which holds under any dependence. NaN is no test:
    it is not counted, and stays NaN.
    """
    log_pvalues = np.asarray(log_pvalues, dtype=np.float64)
    log_q = np.full(log_pvalues.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(log_pvalues))
    n_tests = len(tested)
    if not n_tests:
        return log_q
    order = tested[np.argsort(log_pvalues[tested], kind="stable")]
    excess = np.log(n_tests / np.arange(1.0, n_tests + 1.0))
    if method == "by":
        excess += np.log(digamma(n_tests + 1.0) + np.euler_gamma)  # 1 + 1/2 + ... + 1/n_tests
    elif method != "bh":
        raise ValueError(f"method={method!r} is unknown. Give 'bh' or 'by'.")
    rates = np.minimum.accumulate((log_pvalues[order] + excess)[::-1])[::-1]
    log_q[order] = np.minimum(rates, 0.0)
    return log_q


def smaller_of_two(log_a: FloatArray, log_b: FloatArray) -> FloatArray:
    """Return log min(1, 2 min(p_a, p_b)), a p-value of two tests; where one is NaN, the other's."""
    both = np.minimum(np.minimum(log_a, log_b) + np.log(2.0), 0.0)
    return np.where(np.isnan(log_a) | np.isnan(log_b), np.fmin(log_a, log_b), both)
