"""Scores of columns: scorers, the path that runs them, and the sinks that receive results."""

from skpar_select.scoring._confounders import Confounders
from skpar_select.scoring._discrete import DiscreteFeatures
from skpar_select.scoring._file_digests import SpotDigests
from skpar_select.scoring._fingerprint import Fingerprint, fingerprint
from skpar_select.scoring._independence import IndependenceTest
from skpar_select.scoring._mutual_info import MutualInformation, gives_rho, kernel_needs
from skpar_select.scoring._progress import (
    CallbackSupportMixin,
    Progress,
    ProgressLine,
    ProgressLog,
    progress_of,
    progress_on,
    progress_sinks,
    with_callbacks,
)
from skpar_select.scoring._rounds import plan_scoring
from skpar_select.scoring._score_columns import score_columns
from skpar_select.scoring._score_func import FunctionScorer
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._sinks import Assembler, Sink
from skpar_select.scoring._store import ScoreStore, open_store
from skpar_select.scoring._targets import TargetFacts, Targets

__all__ = [
    "Assembler",
    "CallbackSupportMixin",
    "Confounders",
    "DiscreteFeatures",
    "Fingerprint",
    "FunctionScorer",
    "IndependenceTest",
    "MutualInformation",
    "Progress",
    "ProgressLine",
    "ProgressLog",
    "ScoreStore",
    "Scorer",
    "Sink",
    "SpotDigests",
    "TargetFacts",
    "Targets",
    "fingerprint",
    "gives_rho",
    "kernel_needs",
    "open_store",
    "plan_scoring",
    "progress_of",
    "progress_on",
    "progress_sinks",
    "score_columns",
    "with_callbacks",
]
