"""Mutual information of each column of a block with one target: arrays in, nats out.

Which estimator scores a column follows from the kinds of both sides:

=============  ============  ==========================================================
column         target        estimator
=============  ============  ==========================================================
continuous     continuous    Kraskov et al. 2004, number 1, doi:10.1103/PhysRevE.69.066138
continuous     discrete      Ross 2014, doi:10.1371/journal.pone.0087357
discrete       continuous    the same
discrete       discrete      plug-in: the mutual information of the observed frequencies
=============  ============  ==========================================================

In rank space these are taken of the ranks of what is continuous, with ties broken at random.
"""

from skpar_select.kernels._config import get_config
from skpar_select.kernels._score import (
    MISSING_BYTES,
    SCRATCH_BYTES,
    NonFiniteColumnError,
    Scored,
    mutual_information,
    ranks,
    standardize,
)
from skpar_select.kernels._target import TARGET_BYTES, Target, prepare_target

__all__ = [
    "MISSING_BYTES",
    "SCRATCH_BYTES",
    "TARGET_BYTES",
    "NonFiniteColumnError",
    "Scored",
    "Target",
    "get_config",
    "mutual_information",
    "prepare_target",
    "ranks",
    "standardize",
]
