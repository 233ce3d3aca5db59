"""Pools of joblib, beyond what every executor owes."""

import os
import tempfile
from pathlib import Path

import pytest
from joblib._parallel_backends import LokyBackend
from joblib.externals.loky.backend.reduction import dumps

from skpar_select.execution import JoblibExecutor
from skpar_select.execution._held import call_written as _call_written


class Weighing(LokyBackend):
    """joblib's own pool, which notes how many bytes it is given for each task."""

    def __init__(self, **options):
        super().__init__(**options)
        self.n_bytes = []

    def submit(self, func, callback=None):
        self.n_bytes.append(len(dumps(func)))
        return super().submit(func, callback)

    def apply_async(self, func, callback=None):  # before joblib 1.5
        self.n_bytes.append(len(dumps(func)))
        return super().apply_async(func, callback)


def weighing():
    backend = Weighing()
    return backend, JoblibExecutor(2, backend=backend, streams=True, same_host=True)


@pytest.mark.parametrize("with_prepare", [False, True])
def test_big_function__does_not_make_tasks_big(with_prepare):
    backend, executor = weighing()
    ballast = os.urandom(5_000_000)
    prepare = (lambda task: task + len(ballast) - 5_000_000) if with_prepare else None
    got = executor.map_unordered(lambda task: task + len(ballast), range(10), prepare=prepare)
    assert sorted(got) == [5_000_000 + task for task in range(10)]
    assert len(backend.n_bytes) == 10
    assert max(backend.n_bytes) < 5_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of temporary files, as TMPDIR names it."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


# A thread of loky itself stumbled once over tasks that were taken away when the run was closed.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("how", ["to the end", "closed", "after an error"])
def test_file_of_the_function__is_gone_at_the_end(folder, how):
    executor = JoblibExecutor(2, backend="loky", streams=True, same_host=True)
    results = executor.map_unordered(lambda task: 1 // (task + (how != "after an error")), range(9))
    if how == "after an error":
        with pytest.raises(ZeroDivisionError):
            list(results)
    elif how == "closed":
        next(results)
        assert list(folder.glob("skpar-select-*/function"))
        results.close()
    else:
        list(results)
    assert not list(folder.glob("skpar-select-*"))


def test_file_of_the_function__that_another_has_written_is_not_run(tmp_path):
    path = Path(tmp_path, "function")
    path.write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(RuntimeError, match=r"is not what the calling process has written there"):
        _call_written(str(path), "0" * 64, None)
