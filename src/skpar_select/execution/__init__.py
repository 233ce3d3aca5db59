"""Executors: this thread, threads, or joblib's pools of processes."""

from skpar_select.execution._base import TASKS_AHEAD, Executor, WorkerLostError, prepared
from skpar_select.execution._choose import choose_executor
from skpar_select.execution._joblib import JoblibExecutor
from skpar_select.execution._serial import SerialExecutor
from skpar_select.execution._threads import ThreadsExecutor
from skpar_select.execution._trial import TrialExecutor

__all__ = [
    "TASKS_AHEAD",
    "Executor",
    "JoblibExecutor",
    "SerialExecutor",
    "ThreadsExecutor",
    "TrialExecutor",
    "WorkerLostError",
    "choose_executor",
    "prepared",
]
