"""``score --shard`` and ``merge``: machines that know nothing of each other make one file of scores."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from shell import IDS, read_scores, write_matrix, write_table

N_WIDE = 500
FIXED = ["score", "wide.h5", "--target", "ages.csv", "--progress", "none"]

# A machine that is lost when it has finished a second block: the first is on the disk then.
KILLED = """
import os, signal, sys
from skpar_select import cli
from skpar_select.scoring import Assembler

class Lost(Assembler):
    n_blocks = 0

    def write(self, columns, result):
        super().write(columns, result)
        self.n_blocks += 1
        if self.n_blocks == 2:
            os.kill(os.getpid(), signal.SIGKILL)

sys.modules["skpar_select.scoring._score_columns"].Assembler = Lost
cli.main(sys.argv[1:])
"""


@pytest.fixture
def wide(folder):
    """A wide matrix of two targets, in chunks of columns."""
    import h5py

    rng = np.random.default_rng(1)
    values = np.round(rng.normal(size=(len(IDS), N_WIDE)), 1)
    write_matrix("wide.h5", values, names=[f"cg{index:03}" for index in range(N_WIDE)])
    with h5py.File("wide.h5", "a") as file:
        del file["data"]
        file.create_dataset("data", data=values, chunks=(30, 5), compression="gzip")
    rows = zip(IDS, values[:, 7] + rng.normal(size=len(IDS)), np.round(values[:, 9]), strict=True)
    write_table("ages.csv", list(rows)[::-1], header=("sample_id", "age", "kind"))
    return folder


def test_shards__in_random_order_two_of_them_killed_are_one_run(call, wide):
    of_run = [*FIXED, "--target-column", "age", "--memory-budget", "10MB"]
    kept = ["--store", "kept", "--n-jobs", "1"]
    lost = [
        subprocess.Popen(
            [sys.executable, "-c", KILLED, *of_run, *kept, "--shard", shard, "-o", "lost"]
        )
        for shard in ("3/16", "11/16")
    ]
    killed = [process.wait() for process in lost]
    assert killed == [-signal.SIGKILL, -signal.SIGKILL]
    assert not (wide / "lost").exists()
    for number in np.random.default_rng(2).permutation(16) + 1:
        again = kept if number in (3, 11) else ["--n-jobs", 1 + number % 2]
        done = call(*of_run, *again, "--shard", f"{number}/16", "-o", f"part{number}")
        assert done.code == 0, done.err
        assert len(done.notes) == (number in (3, 11)), done.err
    assert call("merge", *wide.glob("part*"), "-k", 20, "-o", "merged.csv").code == 0
    whole = call(*of_run, "-k", 20, "-o", "whole.csv")
    assert (wide / "merged.csv").read_bytes() == (wide / "whole.csv").read_bytes()
    assert whole.code == 0


@pytest.mark.parametrize(
    "options",
    [
        ["--target-column", "kind", "--task", "classification"],
        ["--target-column", "age", "kind", "--missing", "omit", "--random-state", 5],
        ["--target-column", "age", "--feature-names", "none", "--n-neighbors", 5],
        ["--target-column", "age", "--exclude-features", "few.txt"],
        ["--target-column", "age", "--marginals", "rank"],
        ["--target-column", "age", "kind", "--missing", "omit", "--marginals", "rank"],
    ],
    ids=["classes", "targets", "nameless", "subset", "ranks", "targets of ranks"],
)
@pytest.mark.parametrize("end", ["csv", "h5"])
def test_merge__writes_and_says_what_score_does(call, wide, options, end):
    (wide / "few.txt").write_text("cg007\ncg100\n")
    for number in (2, 3, 1):
        assert call(*FIXED, *options, "--shard", f"{number}/3", "-o", f"part{number}").code == 0
    rules = ["-k", "5%", "--threshold", 0.02, "--overwrite", "-o", f"out.{end}"]
    if len(options) > 4:
        rules += ["--aggregate", "mean"]
    merged = call("merge", "part3", "part1", "part2", *rules)
    of_merge = (wide / f"out.{end}").read_bytes()
    whole = call(*FIXED, *options, *rules)
    assert (merged.code, merged.out) == (whole.code, whole.out)
    assert of_merge == (wide / f"out.{end}").read_bytes()


def test_merge__without_an_output_shows_the_best_and_to_stdout_prints_the_table(call, wide):
    assert call(*FIXED, "--target-column", "age", "--shard", "1/1", "-o", "part").code == 0
    of_score = call(*FIXED, "--target-column", "age")
    assert call("merge", "part").out == of_score.out
    table = call("merge", "part", "-o", "-").out
    assert table == call(*FIXED, "--target-column", "age", "-o", "-").out
    assert table.startswith("feature,score,selected,rank,index\n")


def test_merged_scores__are_those_that_select_takes(call, wide):
    for number in (1, 2):
        part = ["--shard", f"{number}/2", "-o", f"part{number}"]
        assert call(*FIXED, "--target-column", "age", *part).code == 0
    assert call("merge", "part1", "part2", "-o", "out.csv", "-k", 3).code == 0
    assert call("select", "wide.h5", "--from", "out.csv", "-k", 3, "-o", "few.h5").code == 0
    assert len(read_scores()) == N_WIDE


def test_shard__says_what_it_scored(call, wide):
    done = call(*FIXED, "--target-column", "age", "--shard", "2/4", "-o", "part2")
    assert done.described["features"] == f"{N_WIDE}"
    assert done.lines[-1] == "shard 2/4, 125 features, written to part2"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "0/3"], "'0/3' is no shard"),
        (["--shard", "4/3"], "'4/3' is no shard"),
        (["--shard", "three"], "'three' is no shard"),
        (["--shard", "1/3"], "is given without --output"),
        (["--shard", "1/3", "-o", "-"], "is given with --output -"),
        (["--shard", "1/3", "-o", "part.csv"], "is given with --output part.csv"),
        (["--shard", "1/3", "-o", "part", "-k", "3"], "-k is given with --shard 1/3"),
        (
            ["--shard", "1/3", "-o", "part", "--aggregate", "mean"],
            "--aggregate is given with --shard",
        ),
        (["--shard", "1/3", "-o", "wide.h5", "--overwrite"], "is given with --output wide.h5"),
        (["--shard", "1/3", "-o", "ages.csv.1"], None),
    ],
)
def test_shard__with_options_that_do_not_fit_is_an_error(call, wide, options, said):
    done = call(*FIXED, "--target-column", "age", *options)
    if said is None:
        assert done.code == 0
    else:
        assert said in done.error
        assert not (wide / "part").exists()


def test_merge__names_what_is_wrong_in_words_of_the_shell(call, wide):
    part = [*FIXED, "--target-column", "age", "--shard"]
    for number in (1, 2, 4):
        assert call(*part, f"{number}/4", "-o", f"part{number}").code == 0
    assert "score --shard 3/4 first" in call("merge", "part1", "part2", "part4").error
    assert call(*part, "3/4", "-o", "part3", "--n-neighbors", 4).code == 0
    foreign = call("merge", "part3", "part1", "part2", "part4").error
    assert "'part3' is of another run" in foreign
    assert "--n-neighbors 4, not 3" in foreign
    (wide / "part3").write_bytes((wide / "part3").read_bytes()[:-5])
    assert "'part3' is a damaged part" in call("merge", "part1", "part3").error
    (wide / "part1").rename("scores.csv")
    assert "'ages.csv' is no part" in call("merge", "part2", "ages.csv").error
    assert "is an input" in call("merge", "scores.csv", "-o", "scores.csv", "--overwrite").error


def test_inspect__shows_what_a_shard_reads(call, wide):
    done = call("inspect", "wide.h5", "--shard", "2/4")
    assert done.described["shard 2/4"].startswith("125 features, reads ")
