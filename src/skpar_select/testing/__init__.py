"""Conformance suites, for whoever writes a matrix, an executor, a scorer or a sink: need pytest."""

from skpar_select.testing._executors import ExecutorConformance
from skpar_select.testing._matrices import MatrixConformance
from skpar_select.testing._scorers import ScorerConformance
from skpar_select.testing._sinks import SinkConformance

__all__ = [
    "ExecutorConformance",
    "MatrixConformance",
    "ScorerConformance",
    "SinkConformance",
]
