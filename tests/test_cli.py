"""The command line: what it writes, and that every error is one line and code 2."""

import csv
import io
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest
from containers import write_anndata

from skpar_select import ParallelMutualInfoSelector, cli, open_matrix

N_SAMPLES, N_FEATURES = 60, 7
IDS = [f"s{index:02}" for index in range(N_SAMPLES)]
NAMES = [f"site{index}" for index in range(N_FEATURES)]


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)


@pytest.fixture
def age(values):
    return 50 + 10 * values[:, 4].astype(float)


@pytest.fixture
def folder(tmp_path, monkeypatch, values, age):
    """A folder with a matrix and, in another order, the targets of its samples."""
    monkeypatch.chdir(tmp_path)
    with h5py.File("x.h5", "w") as file:
        file["data"] = values
        file["features"] = NAMES
        file["samples"] = IDS
    write_targets("ages.csv", list(zip(IDS, age, strict=True))[::-1])
    return tmp_path


def write_targets(name, rows, header=("sample_id", "age")):
    with open(name, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def run(*arguments, command="score", target="ages.csv", output="out", matrix="x.h5"):
    fixed = ["--target", target, "--target-column", "age", "--output", output, "--n-jobs", "1"]
    return cli.main([command, matrix, *fixed, *map(str, arguments)])


def read_scores(name="out"):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


def error(capsys):
    """Return the only line on stderr."""
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1, printed.err
    assert printed.err.startswith("skpar-select: error: ")
    return printed.err


def test_score__writes_the_scores_of_the_selector_best_first(folder, values, age):
    assert run("-k", 2) == 0
    selector = ParallelMutualInfoSelector(k=2, random_state=0).fit(values, age)
    rows = read_scores()
    assert list(rows[0]) == ["feature", "score", "selected"]
    assert rows[0]["feature"] == "site4"
    assert {row["feature"]: float(row["score"]) for row in rows} == dict(
        zip(NAMES, selector.scores_, strict=True)
    )
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [row["selected"] for row in rows] == ["true"] * 2 + ["false"] * 5


@pytest.mark.parametrize(
    ("rule", "n_selected"),
    [
        (["-k", "3"], 3),
        (["-k", "0.3"], 2),
        (["-k", "all"], 7),
        (["--percentile", "50"], 3),
        (["--threshold", "0.5"], 1),
        (["-k", "3", "--threshold", "0.5"], 1),
    ],
)
def test_score__selects_by_every_rule_given(folder, rule, n_selected):
    assert run(*rule) == 0
    assert sum(row["selected"] == "true" for row in read_scores()) == n_selected


def test_score__gives_the_same_bytes_for_every_run_and_number_of_jobs(folder):
    assert run("-k", 2, output="one.csv") == 0
    assert run("-k", 2, "--n-jobs", 2, "--memory-budget", "1MB", output="two.csv") == 0
    assert (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()


def test_score__reads_classes(folder, age):
    kinds = np.where(age > 50, "old", "young")
    write_targets("kinds.csv", zip(IDS, kinds, strict=True))
    assert run("-k", 1, "--task", "classification", target="kinds.csv") == 0
    assert read_scores()[0]["feature"] == "site4"


def test_score__without_ids_takes_rows_in_order_and_says_so(folder, values, age, capsys):
    with h5py.File("bare.h5", "w") as file:
        file["matrix"] = values
    write_targets("ages.csv", zip(age, strict=True), header=["age"])
    assert run("-k", 1, "--dataset", "matrix", matrix="bare.h5") == 0
    assert read_scores()[0]["feature"] == "x4"
    assert "no sample ids. Its rows are taken in the order" in capsys.readouterr().err


def test_score__leaves_names_and_ids_alone_when_told_to(folder, age):
    write_targets("ages.csv", zip(age, strict=True), header=["age"])
    assert run("-k", 1, "--feature-names", "none", "--sample-ids", "none") == 0
    assert read_scores()[0]["feature"] == "x4"


@pytest.mark.parametrize("option", ["--sample-ids", "--id-column"])
def test_score__names_the_options_that_make_ids_meet(folder, capsys, option):
    assert run("--sample-ids", "none", "--id-column", "sample_id") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(
        "skpar-select: error: id_column='sample_id' was given without sample_ids."
    )
    assert option in line


def test_select__writes_a_matrix_that_open_matrix_reads(folder, values):
    assert run("-k", 3, "--scores", "scores.csv", command="select") == 0
    kept = {row["feature"] for row in read_scores("scores.csv") if row["selected"] == "true"}
    columns = [index for index, name in enumerate(NAMES) if name in kept]
    X = open_matrix("out", feature_names="auto", sample_ids="auto")
    assert X.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(X), values[:, columns])
    assert list(X.feature_names) == [NAMES[index] for index in columns]
    assert list(X.sample_ids) == IDS


def test_score__shows_progress_on_a_terminal_only(folder, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert run("-k", 1) == 0
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert run("-k", 1) == 0
    assert f"] {N_FEATURES} of {N_FEATURES} features" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")


@pytest.mark.filterwarnings("default")  # a warning is what is tested
def test_score__warns_in_one_line_when_k_exceeds_the_features(folder, capsys):
    assert run("-k", 99) == 0
    printed = capsys.readouterr().err
    assert printed.startswith("skpar-select: warning: ")
    assert "99" in printed
    assert printed.count("\n") == 1
    assert all(row["selected"] == "true" for row in read_scores())


@pytest.mark.filterwarnings("default")  # a warning is what is tested
def test_score__warns_when_nothing_is_selected(folder, capsys):
    assert run("--threshold", 99) == 0
    printed = capsys.readouterr().err
    assert printed.startswith("skpar-select: warning: ")
    assert printed.count("\n") == 1
    assert all(row["selected"] == "false" for row in read_scores())


@pytest.mark.filterwarnings("default")  # a warning is what is expected
def test_select__writes_an_empty_matrix_when_nothing_is_selected(folder):
    assert run("--threshold", 99, command="select") == 0
    with h5py.File("out") as file:
        assert file["data"].shape == (N_SAMPLES, 0)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"matrix": "gone.h5"}, "gone.h5"),
        ({"target": "gone.csv"}, "gone.csv"),
        ({"output": "gone/out"}, "no folder 'gone'"),
        ({"output": "x.h5"}, "'x.h5' is an input"),
        ({"output": "ages.csv"}, "'ages.csv' is an input"),
    ],
)
def test_score__refuses_files_that_cannot_be(folder, capsys, arguments, expected):
    assert run("-k", 1, **arguments) == 2
    assert expected in error(capsys)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--dataset", "beta"], "beta"),
        (["--feature-names", "probes"], "probes"),
        (["--sample-ids", "people"], "people"),
        (["--target-column", "years"], "no column 'years'"),
        (["--id-column", "person"], "no column 'person'"),
        (["--n-neighbors", "60"], "60"),
        (["--n-neighbors", "0"], "n_neighbors"),
        (["-k", "-1"], "-1"),
        (["-k", "1.5"], "1.5"),
        (["--percentile", "101"], "101"),
        (["--memory-budget", "lots"], "lots"),
        (["--memory-budget", "1"], "memory_budget"),
    ],
)
def test_score__refuses_values_that_cannot_be(folder, capsys, arguments, expected):
    assert run(*arguments) == 2
    assert expected in error(capsys)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "COMMAND"),
        (["score", "x.h5"], "--target"),
        (["score", "x.h5", "-k", "few"], "'few' is no number of features. It must be"),
        (["score", "x.h5", "--task", "guess"], "guess"),
    ],
)
def test_main__explains_a_wrong_call_in_one_line(capsys, arguments, expected):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert expected in error(capsys)


def test_score__counts_samples_without_a_target(folder, capsys, age):
    write_targets("ages.csv", list(zip(IDS, age, strict=True))[5:])
    assert run() == 2
    assert "lacks 5 samples ('s00', 's01', 's02' and 2 more) of the matrix." in error(capsys)


def test_score__refuses_targets_of_another_length(folder, capsys, values, age):
    with h5py.File("bare.h5", "w") as file:
        file["data"] = values
    write_targets("ages.csv", zip(age[1:], strict=True), header=["age"])
    assert run(matrix="bare.h5") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("skpar-select: error: ")
    assert "59" in lines[-1]
    assert "60" in lines[-1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_score__names_the_column_that_is_not_finite(folder, capsys, values, bad):
    values[3, 5] = bad
    with h5py.File("x.h5", "r+") as file:
        file["data"][:] = values
    assert run() == 2
    kind = "NaN" if np.isnan(bad) else "infinity"
    assert f"contains {kind}: 1 values in 1 columns, 'site5' (1 {kind})." in error(capsys)


def test_score__refuses_a_matrix_of_text(folder, capsys):
    assert run("--dataset", "features") == 2
    assert "features" in error(capsys)


def test_score__survives_a_truncated_matrix(folder, capsys):
    whole = (folder / "x.h5").read_bytes()
    (folder / "x.h5").write_bytes(whole[: len(whole) // 2])
    assert run() == 2
    assert "x.h5' cannot be opened as HDF5" in error(capsys)


def test_select__refuses_one_name_for_two_results(folder, capsys):
    assert run("--scores", "./out", command="select") == 2
    assert "--output and --scores both name 'out'. Each needs" in error(capsys)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_main__ends_with_130_after_an_interrupt(folder):
    code = (
        "import os, signal, sys\n"
        "from skpar_select import cli\n"
        "cli.open_matrix = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    arguments = ["score", "x.h5", "--target", "ages.csv", "--target-column", "age", "--output", "o"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ended.returncode == 130
    assert ended.stderr == "skpar-select: error: interrupted\n"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_main__helps(capsys, option):
    with pytest.raises(SystemExit) as end:
        cli.main([option])
    assert end.value.code == 0
    assert "skpar-select" in capsys.readouterr().out


def test_inspect__describes_the_file_and_the_plan(folder, capsys):
    assert cli.main(["inspect", "x.h5", "--memory-budget", "1MB", "--n-jobs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    described = {line[:15].rstrip(): line[15:] for line in lines}
    assert described["matrix"].endswith("x.h5', dataset 'data'")
    assert described["shape"] == "60 samples x 7 features"
    assert described["type"] == "float32, 1.7 kB in all"
    assert described["layout"] == "contiguous"
    assert described["stored"] == "1.7 kB"
    assert described["feature names"] == "7: site0, site1, site2, ..."
    assert described["sample ids"] == "60: s00, s01, s02, ..."
    assert described["read strategy"] == "extents of every row, read to their place"
    assert described["peak memory"].endswith(" kB of 1 MB allowed")
    assert described["bytes read"] == "1.7 kB"
    assert described["scratch disk"] == "none"


def test_inspect__names_chunks_and_filters(folder, values, capsys):
    with h5py.File("z.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(8, 7), compression="gzip", shuffle=True)
    assert cli.main(["inspect", "z.h5", "--orientation", "features_by_samples"]) == 0
    out = capsys.readouterr().out
    assert "7 samples x 60 features" in out
    assert "chunks of 8 x 7, shuffle, gzip" in out
    assert "feature names  none" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["gone.h5"], "does not exist"),
        (["ages.csv"], "cannot be opened as HDF5"),
        (["x.h5", "--dataset", "nothing"], "dataset 'nothing' does not exist"),
        (["x.h5", "--memory-budget", "2kB"], "Set memory_budget to at least"),
    ],
)
def test_inspect__ends_with_one_line_on_bad_files(folder, capsys, arguments, expected):
    assert cli.main(["inspect", *arguments]) == 2
    assert expected in error(capsys)


def test_same_order__takes_several_files_without_ids(folder, values, age, capsys):
    np.save("a.npy", values[:, :3])
    np.save("b.npy", values[:, 3:])
    write_targets("ages.csv", zip(age, strict=True), header=["age"])
    files = ["a.npy", "b.npy"]
    arguments = ["--target", "ages.csv", "--target-column", "age", "-k", "1", "--output", "out"]
    assert cli.main(["score", *files, *arguments]) == 2
    assert (
        "has no sample ids that can be found. Files are joined by sample id unless align='order'"
        in (line := error(capsys))
    )
    assert "--same-order takes files without ids" in line
    assert cli.main(["score", *files, *arguments, "--same-order"]) == 0
    assert read_scores()[0]["feature"] == "x4"
    assert "rows are taken in the order of the targets" in capsys.readouterr().err
    assert cli.main(["inspect", *files, "--same-order"]) == 0
    assert "sample ids     none" in capsys.readouterr().out


def test_orientation__of_anndata_is_what_the_file_says(folder, capsys):
    # 7 cells and 5 genes, and targets for 5 by mistake.
    write_anndata(folder / "x.h5ad", np.random.default_rng(0).random((7, 5)))
    write_targets("five.csv", zip(range(5), strict=True), header=["age"])
    assert run("-k", 1, "--sample-ids", "none", matrix="x.h5ad", target="five.csv") == 2
    assert "has 7 samples" in error(capsys)
    write_anndata(folder / "square.h5ad", np.random.default_rng(0).random((5, 5)))
    assert run("-k", 1, "--sample-ids", "none", matrix="square.h5ad", target="five.csv") == 0


def test_n_jobs__of_no_workers_is_refused(folder, capsys):
    assert run("--n-jobs", 0) == 2
    assert "n_jobs=0 leaves no worker. It must be a number of workers" in error(capsys)


def test_inspect__ends_quietly_when_the_pipe_is_closed(folder):
    code = "import sys; from skpar_select.cli import main; sys.exit(main(sys.argv[1:]))"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", "x.h5"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""


def test_score_cache__keeps_the_scores_of_a_command(folder):
    for _ in range(2):
        assert run("-k", 2, "--score-cache", "kept") == 0
    assert len(os.listdir("kept")) == 1
