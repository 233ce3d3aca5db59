"""Entries of a store: shared by processes, resumed after a kill, and never waited for."""

import os
import pickle
import signal
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scorings import Noting, kernel_scorer

from skpar_select.execution import SerialExecutor, ThreadsExecutor
from skpar_select.matrices import as_matrix
from skpar_select.scoring import ScoreStore, score_columns
from skpar_select.scoring._fingerprint import Fingerprint

FINGERPRINT = Fingerprint("0" * 64, {"matrix": "digest 1", "n_neighbors": "3"})


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 120))
    return as_matrix(X), X[:, 5] + rng.normal(size=40)


def scored(matrix, folder=None, *, executor=None, sinks=(), columns=None, store=None):
    matrix, y = matrix
    return score_columns(
        matrix,
        kernel_scorer(matrix, y),
        executor or SerialExecutor(),
        memory_budget=10**8,
        sinks=sinks,
        store=store or (None if folder is None else ScoreStore(folder)),
        columns=columns,
    )["score"]


def interrupted_after(n_blocks):
    def stop():
        if len(noting.blocks) == n_blocks:
            raise KeyboardInterrupt

    noting = Noting(stop)
    return noting


def columns_of(noting):
    return sorted(column for block in noting.blocks for column in block)


@pytest.mark.parametrize("executor", [SerialExecutor(), ThreadsExecutor(2)])
def test_fit__that_was_stopped_goes_on_from_there(matrix, folder, executor):
    plain, done = scored(matrix), []
    for n_blocks in (1, 2, 1):
        noting = interrupted_after(n_blocks)
        with pytest.raises(KeyboardInterrupt):
            scored(matrix, folder, executor=executor, sinks=[noting])
        done += columns_of(noting)
    last = Noting()
    assert_array_equal(scored(matrix, folder, executor=executor, sinks=[last]), plain)
    assert sorted(done + columns_of(last)) == list(range(120))
    # It is complete: nothing is scored again, and one journal holds all.
    again = Noting()
    assert_array_equal(scored(matrix, folder, sinks=[again]), plain)
    assert again.blocks == []
    assert len(list(folder.glob("*/*.journal"))) == 1


def test_shards__of_one_store_are_the_whole(matrix, folder):
    plain = scored(matrix)
    for start in (80, 0, 40):
        columns = range(start, start + 40)
        noting = Noting()
        got = scored(matrix, folder, sinks=[noting], columns=columns)
        assert columns_of(noting) == list(columns)
        assert_array_equal(got[columns], plain[columns])
    assert_array_equal(scored(matrix, folder, columns=np.array([1, 50, 119]))[50], plain[50])
    last = Noting()
    assert_array_equal(scored(matrix, folder, sinks=[last]), plain)
    assert last.blocks == []


class TestSharing:
    """Two writers of one entry, of which one stands here for another process."""

    @pytest.fixture
    def store(self, folder):
        return ScoreStore(folder)

    @pytest.fixture
    def other(self, store):
        with store.entry(FINGERPRINT, 10) as entry:
            yield entry

    def test_claimed_columns__are_left_to_their_process_while_it_lives(self, store, other):
        assert other.is_free(range(3))
        with store.entry(FINGERPRINT, 10) as entry:
            assert not entry.is_free(range(2, 4))
            assert entry.is_free(range(4, 6))
            # What is left at the end is scored by whoever is there.
            assert entry.is_missing(range(2, 4))
            other.release()
            entry._ask_again = 0.0  # it asks once a second who lives
            assert entry.is_free(range(2, 4))

    def test_results_of_others__are_found_meanwhile(self, store, other):
        with store.entry(FINGERPRINT, 10) as entry:
            assert entry.is_missing(range(3))
            other.write(range(3), {"score": np.arange(3.0)})
            assert not entry.is_missing(range(3))
            assert not entry.is_free(range(1, 2))
            ((columns, result),) = entry.found()
            assert (columns, list(result["score"])) == (range(3), [0, 1, 2])
            assert list(entry.found()) == []

    def test_claims__alone_leave_no_entry(self, store, folder):
        with store.entry(FINGERPRINT, 10) as entry:
            assert entry.is_free(range(3))
        assert [path.name for path in folder.iterdir()] == ["key"]

    def test_fits_at_once__share_the_work(self, matrix, folder):
        """The second begins while the first is in the midst."""
        second = Noting()

        def begin():
            if not begun:
                begun.append(None)
                results.append(scored(matrix, folder, sinks=[second]))

        begun, results = [], []
        first = Noting(begin)
        results.append(scored(matrix, folder, sinks=[first]))
        for result in results:
            assert_array_equal(result, scored(matrix))
        # The first had kept one block, and what the second found claimed it scored last.
        assert columns_of(second)
        assert len(columns_of(first)) + len(columns_of(second)) >= 120
        assert len(first.blocks) <= 2 or len(columns_of(first)) == 120


SCORE_SLOWLY = """
import sys, time
import numpy as np
from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring import Progress

class Slow(Progress):
    def show(self):
        print("block", flush=True)
        time.sleep(0.5)

X = np.random.default_rng(0).normal(size=(40, 600))
ParallelMutualInfoSelector(random_state=0, store=sys.argv[1], verbose=Slow()).fit(X, X[:, 5])
"""


@pytest.fixture
def process(folder):
    """A process that scores, and has kept two blocks."""
    command = [sys.executable, "-c", SCORE_SLOWLY, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        for _ in range(2):
            assert started.stdout.readline() == "block\n"
        yield started
        started.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_process__that_is_killed_or_stopped_blocks_nobody(folder, process, how):
    process.send_signal(how)
    if how == signal.SIGKILL:
        process.wait()
    X = np.random.default_rng(0).normal(size=(40, 600))
    noting, store = Noting(), ScoreStore(folder)
    matrix = as_matrix(X), X[:, 5]
    assert_array_equal(scored(matrix, store=store, sinks=[noting]), scored(matrix))
    # Two blocks at least were kept.
    n_kept = 600 - len(columns_of(noting))
    assert n_kept > 0
    assert len(set(columns_of(noting))) == 600 - n_kept


def test_folder__stays_below_its_limit_and_keeps_what_was_used_last(folder):
    store = ScoreStore(folder)
    for age, name in enumerate("abc"):
        with store.entry(Fingerprint(name * 64, {}), 100) as entry:
            entry.write(range(100), {"score": np.zeros(100)})
        os.utime(folder / (name * 64) / "manifest.json", (age, age))
    size = sum(path.stat().st_size for path in (folder / ("a" * 64)).iterdir())
    with store.entry(Fingerprint("a" * 64, {}), 100) as entry:
        assert entry.n_done == 100
    small = ScoreStore(folder, limit_bytes=3 * size)
    with small.entry(Fingerprint("d" * 64, {}), 100) as entry:
        entry.write(range(100), {"score": np.zeros(100)})
    assert {path.parent.name[0] for path in folder.glob("*/*.json")} == {"a", "c", "d"}


def test_disk_that_is_gone__is_told_once(folder):
    store = ScoreStore(folder)
    with store.entry(FINGERPRINT, 10) as entry:
        entry.write(range(3), {"score": np.zeros(3)})
        os.close(entry._writer.descriptor)  # what a disk gives that is gone
        with pytest.warns(UserWarning, match=r"cannot be kept in store='.*The fit goes on"):
            entry.write(range(3, 6), {"score": np.zeros(3)})
        entry.write(range(6, 10), {"score": np.zeros(4)})
    with ScoreStore(folder).entry(FINGERPRINT, 10) as entry:
        assert entry.n_done == 3


class TestOthersFiles:
    """What lies in the folder and is none of the store's."""

    def test_folders__that_are_no_entries_are_never_removed(self, folder):
        (folder / "work").mkdir(parents=True)
        folder.chmod(0o700)
        (folder / "work" / "manifest.json").write_text("{}")
        (folder / "work" / "thesis").write_bytes(bytes(10**5))
        (folder / ("b" * 64)).symlink_to(folder / "work")
        with ScoreStore(folder, limit_bytes=1).entry(FINGERPRINT, 4) as entry:
            entry.write(range(4), {"score": np.zeros(4)})
        assert (folder / "work" / "thesis").exists()
        assert (folder / "work" / "manifest.json").exists()

    @pytest.mark.parametrize("kind", ["folder", "pipe", "link", "huge"])
    def test_journal__that_is_none_stops_nobody(self, matrix, folder, kind):
        scored(matrix, folder)
        (entry,) = (path.parent for path in folder.glob("*/manifest.json"))
        for name in ("b.journal", "c.journal"):
            if kind == "folder":
                (entry / name).mkdir()
            elif kind == "pipe":
                os.mkfifo(entry / name)
            elif kind == "link":
                (entry / name).symlink_to(entry / "nowhere")
            else:
                with (entry / name).open("wb") as file:
                    file.truncate(2**40)
        assert_array_equal(scored(matrix, folder), scored(matrix))
        ScoreStore(folder)


def test_entry_in_use__is_not_removed(folder):
    store, small = ScoreStore(folder), ScoreStore(folder, limit_bytes=1)
    with store.entry(FINGERPRINT, 100) as entry:
        entry.write(range(90), {"score": np.zeros(90)})
    with store.entry(FINGERPRINT, 100) as entry:
        assert entry.n_done == 90
        # It has only read, so far.
        with small.entry(Fingerprint("1" * 64, {}), 4) as other:
            other.write(range(4), {"score": np.zeros(4)})
        entry.write(range(90, 95), {"score": np.zeros(5)})
    with store.entry(FINGERPRINT, 100) as entry:
        assert entry.n_done == 95
    with small.entry(Fingerprint("1" * 64, {}), 4) as other:
        other.write(range(4), {"score": np.zeros(4)})
    assert not (folder / FINGERPRINT.key).exists()


def test_store__pickles_without_its_secret(folder):
    store = ScoreStore(folder, limit_bytes=99)
    secret = (folder / "key").read_bytes()
    content = pickle.dumps(store)
    assert secret not in content
    assert pickle.loads(content).limit_bytes == 99


class TestFolder:
    def test_folder__is_made_for_its_owner_alone(self, folder):
        ScoreStore(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "key").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777, 0o702])
    def test_folder__that_others_may_write_to_is_refused(self, folder, mode):
        folder.mkdir()
        folder.chmod(mode)
        with pytest.raises(OSError, match=r"others may write to it.*chmod 700"):
            ScoreStore(folder)

    def test_key__that_others_may_write_to_is_refused(self, folder):
        ScoreStore(folder)
        (folder / "key").chmod(0o606)
        with pytest.raises(OSError, match="others may write to"):
            ScoreStore(folder)

    @pytest.mark.parametrize("damage", ["pipe", "link", "folder", "short", "long"])
    def test_key__that_is_none_is_refused(self, folder, tmp_path, damage):
        folder.mkdir(mode=0o700)
        key = folder / "key"
        if damage == "pipe":
            os.mkfifo(key)
        elif damage == "link":
            key.symlink_to(tmp_path / "nowhere")
        elif damage == "folder":
            key.mkdir()
        else:
            key.write_bytes(bytes(3 if damage == "short" else 99))
        with pytest.raises(OSError, match=r"store='.*' cannot be used"):
            ScoreStore(folder)
        assert not (tmp_path / "nowhere").exists()

    def test_folder__that_is_refused_stays_as_it_was(self, folder):
        folder.mkdir()
        folder.chmod(0o777)
        with pytest.raises(OSError, match="others may write"):
            ScoreStore(folder)
        assert not list(folder.iterdir())

    @pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "~nobody-of-this-name/x"])
    def test_name__that_no_folder_can_have_is_refused(self, name):
        with pytest.raises((OSError, ValueError), match=r"store='.*Name one"):
            ScoreStore(name)

    @pytest.mark.parametrize("manifest", [b"", b"[]", b'{"parts": 3}', b"[" * 10**5, b"\xff"])
    def test_manifest__that_is_damaged_harms_nothing(self, folder, manifest):
        said = []
        with ScoreStore(folder).entry(FINGERPRINT, 4) as entry:
            entry.write(range(4), {"score": np.zeros(4)})
        (folder / FINGERPRINT.key / "manifest.json").write_bytes(manifest)
        with ScoreStore(folder, tell=said.append).entry(FINGERPRINT, 4) as entry:
            assert entry.n_done == 4
        with ScoreStore(folder, tell=said.append).entry(Fingerprint("f" * 64, {}), 4) as entry:
            assert entry.n_done == 0
        assert said == [f"store='{folder}' holds 4 of 4 features of this run"]

    def test_store__of_a_run_that_kept_no_block_says_so(self, folder):
        said = []
        with ScoreStore(folder).entry(FINGERPRINT, 4) as entry:
            entry.is_free(range(4))
            entry.has_written = True  # as if it were killed: nothing is taken away
        with ScoreStore(folder, tell=said.append).entry(FINGERPRINT, 4):
            pass
        assert said == [f"store='{folder}' holds 0 of 4 features of this run"]

    def test_store__says_what_differs_from_the_nearest_run(self, folder):
        said = []
        store = ScoreStore(folder, tell=said.append)
        for key, parts in (
            ("a", {"n_neighbors": "5"}),
            ("b", dict(FINGERPRINT.parts, n_neighbors="9")),
        ):
            with store.entry(Fingerprint(key * 64, parts), 4) as entry:
                entry.write(range(4), {"score": np.zeros(4)})
        said.clear()
        with store.entry(FINGERPRINT, 4):
            pass
        assert said == [
            f"store='{folder}' holds nothing of this run, the nearest is that of n_neighbors=9, not 3"
        ]
