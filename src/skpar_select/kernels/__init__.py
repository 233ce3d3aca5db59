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

Two things that are slow in Python go with the extension: decoding lzf, a filter of HDF5, and
compressing bytes to what tells them apart, for fingerprints.
"""

from skpar_select.kernels import _kernels
from skpar_select.kernels._config import show_config
from skpar_select.kernels._score import mutual_information, standardize
from skpar_select.kernels._target import Target, prepare_target

__all__ = [
    "Target",
    "compress",
    "decode_lzf",
    "mutual_information",
    "prepare_target",
    "show_config",
    "standardize",
]

compress = _kernels.compress
decode_lzf = _kernels.decode_lzf
