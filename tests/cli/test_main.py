"""The program: how it starts, how it ends, and what it does not wait for."""

import os
import resource
import signal
import subprocess
import sys

import pytest

import skpar_select


def program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "skpar_select", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_program__helps(call, option):
    helped = call(option)
    assert helped.code == 0
    assert "skpar-select" in helped.out


@pytest.mark.parametrize("command", ["score", "select", "inspect", "convert"])
def test_command__helps(call, command):
    helped = call(command, "--help")
    assert helped.code == 0
    assert "--quiet" in helped.out


def test_program__without_a_command_names_them(call):
    assert "COMMAND" in call().error


@pytest.mark.parametrize(
    "arguments", [["--version"], ["score", "--help"], ["score", "x", "-k", "x"]]
)
def test_program__answers_before_a_library_is_imported(arguments):
    code = (
        "import sys\n"
        "from skpar_select.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    heavy = {'numpy', 'scipy', 'sklearn', 'h5py', 'joblib'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert "AssertionError" not in done.stderr


def test_version__takes_a_fraction_of_a_second():
    # Of the processor, as others may have it meanwhile; 0.07 s was measured.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = program("--version")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout == f"skpar-select {skpar_select.__version__}\n"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child")
def test_program__ends_with_130_after_an_interrupt(folder):
    code = (
        "import io, os, signal, sys\n"
        "from skpar_select.cli import main\n"
        "class Terminal(io.TextIOBase):\n"
        "    def read(self): os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.stdin = Terminal()\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["score", "x.h5", "--target", "-", "--target-column", "age"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert ended.returncode == 130
    assert ended.stderr == "skpar-select: error: interrupted\n"


def test_program__ends_quietly_when_the_pipe_is_closed(folder):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "skpar_select", "inspect", "x.h5"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == ""


def test_program__reads_the_table_from_stdin_and_writes_to_stdout(folder):
    arguments = [
        "score",
        "x.h5",
        "--target",
        "-",
        "--target-column",
        "age",
        "-k",
        "2",
        "--output",
        "-",
    ]
    done = program(*arguments, input=(folder / "ages.csv").read_text())
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("feature,score")
    assert lines[1].startswith("site4,")
    assert len(lines) == 8
