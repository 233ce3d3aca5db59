"""Executors: this thread, threads, joblib's pools of processes, or an engine of the caller's."""

from skpar_select.execution._base import TASKS_AHEAD, Executor, WorkerLostError, prepared
from skpar_select.execution._choose import choose_executor
from skpar_select.execution._futures import FuturesExecutor
from skpar_select.execution._joblib import JoblibExecutor
from skpar_select.execution._ray import RayExecutor
from skpar_select.execution._serial import SerialExecutor
from skpar_select.execution._threads import ThreadsExecutor
from skpar_select.execution._trial import TrialExecutor

__all__ = [
    "TASKS_AHEAD",
    "Executor",
    "FuturesExecutor",
    "JoblibExecutor",
    "RayExecutor",
    "SerialExecutor",
    "ThreadsExecutor",
    "TrialExecutor",
    "WorkerLostError",
    "choose_executor",
    "prepared",
]
