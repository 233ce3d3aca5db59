"""How likely a score is when nothing is there: numbers in, natural logarithms of p-values out.

Which null a column has follows from the kinds of both sides, in rank space:

=============  ============  ===========================================================
column         target        null
=============  ============  ===========================================================
continuous     continuous    a table by the numbers of samples and neighbours
continuous     classes       the sizes of the classes, and the neighbours
classes        continuous    the same
classes        classes       chi-squared, or random tables with the same margins
=============  ============  ===========================================================

The first three kinds are taken as Pearson III. Samples must be exchangeable when nothing is there.
"""

from skpar_select.significance._classes import Margins, log_pvalues_of_classes
from skpar_select.significance._false_discoveries import log_qvalues, smaller_of_two
from skpar_select.significance._kraskov_null import MOST_NEIGHBORS, kraskov_moments
from skpar_select.significance._moments import (
    Moments,
    mean_over_strata,
    moments_over_strata,
    shares_of_strata,
)
from skpar_select.significance._neighbors import LEAST_SAMPLES, neighbors_of_test
from skpar_select.significance._ross_null import ross_moments
from skpar_select.significance._sequential import N_EXCEEDANCES, sequential_log_pvalues
from skpar_select.significance._tails import log_pvalues_of_rho, log_upper_tail, upper_quantile

__all__ = [
    "LEAST_SAMPLES",
    "MOST_NEIGHBORS",
    "N_EXCEEDANCES",
    "Margins",
    "Moments",
    "kraskov_moments",
    "log_pvalues_of_classes",
    "log_pvalues_of_rho",
    "log_qvalues",
    "log_upper_tail",
    "mean_over_strata",
    "moments_over_strata",
    "neighbors_of_test",
    "ross_moments",
    "sequential_log_pvalues",
    "shares_of_strata",
    "smaller_of_two",
    "upper_quantile",
]
