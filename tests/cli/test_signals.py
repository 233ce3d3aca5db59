"""A signal ends the program soon, in one line, whatever it is at, and nothing stays."""

import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to a child")

# Where nothing ends it, the program takes many minutes.
PATIENCE = 120

# A program that sends itself a signal when Python is about to do something that it audits.
PROGRAM = """
import os, signal, sys, threading
moment, subject, seconds, number = sys.argv[1:5]
del sys.argv[1:5]
signal.signal(signal.SIGINT, signal.default_int_handler)

def ring():
    os.kill(os.getpid(), int(number))

def hook(event, arguments):
    global moment
    if event == moment and subject in str(arguments[0]):
        moment = ""
        threading.Timer(float(seconds), ring).start() if float(seconds) else ring()

sys.addaudithook(hook)
from skpar_select.cli import main
sys.exit(main())
"""

LONG = ["score", "x.h5", "--target", "t.csv", "--target-column", "age", "--same-order"]
LONG += ["--n-neighbors", "2000", "--progress", "none", "--output", "out.csv"]
PACKED = [argument.replace("x.h5", "packed.h5") for argument in LONG]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A matrix of which a column takes a second, as so many neighbours are searched."""
    folder = tmp_path_factory.mktemp("inputs")
    n_samples, n_features = 20_000, 400
    rng = np.random.default_rng(0)
    values = rng.integers(0, 50, (n_samples, n_features)).astype(np.int8)
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("data", data=values)
    with h5py.File(folder / "packed.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(10, n_features), compression="gzip")
    lines = ["age", *map(str, rng.normal(size=n_samples))]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def ended_by(inputs, tmp_path):
    """Run the command line until it gets a signal; give what it said, and what it left."""

    def ended_by(number, moment, subject, arguments, seconds=0.0):
        (tmp_path / "run").mkdir()
        (tmp_path / "temporary").mkdir()
        for file in inputs.iterdir():
            (tmp_path / "run" / file.name).symlink_to(file)
        how = [moment, subject, str(seconds), str(int(number))]
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *how, *arguments],
            cwd=tmp_path / "run",
            env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as program:
            try:
                _, said = program.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                raise
        with pytest.raises(ProcessLookupError):
            os.killpg(program.pid, 0)  # no process is left
        left = {path.name for path in tmp_path.rglob("*")} - {
            path.name for path in inputs.iterdir()
        }
        return program.returncode, said, left - {"run", "temporary"}

    return ended_by


@pytest.mark.parametrize(
    ("number", "moment", "subject", "arguments", "seconds"),
    [
        (signal.SIGINT, "import", "argparse", LONG, 0),
        (signal.SIGTERM, "import", "sklearn", LONG, 0),
        (signal.SIGINT, "import", "scipy.special", LONG, 0),
        (
            signal.SIGTERM,
            "tempfile.mkstemp",
            "",
            [*PACKED, "--memory-budget", "20MB", "--n-jobs", "2"],
            0,
        ),
        (signal.SIGINT, "open", "x.h5", [*LONG, "--n-jobs", "2"], 1),
        (signal.SIGTERM, "open", "x.h5", [*LONG, "--n-jobs", "1"], 1),
    ],
    ids=["options", "import", "another import", "temporary file", "two jobs", "one job"],
)
def test_signal__ends_the_program_in_one_line(
    ended_by, number, moment, subject, arguments, seconds
):
    code, said, left = ended_by(number, moment, subject, arguments, seconds)
    assert (code, said) == (130, "skpar-select: error: interrupted\n")
    assert left == set()


def test_signal__while_a_file_is_put_in_its_place_leaves_it_whole_or_not_at_all(ended_by):
    outcome = ended_by(signal.SIGHUP, "os.link", ".part", ["convert", "t.csv", "out.h5"])
    # Python looks for signals now and then: the file may be complete by then.
    interrupted = (130, "skpar-select: error: interrupted\n", set())
    assert outcome in (interrupted, (0, "", {"out.h5"}))


def run(code):
    """Run a few lines that have `signals`, and a way to send this process some."""
    given = (
        "import os, signal, sys\n"
        "from skpar_select.cli._signals import Signals\n"
        "signals = Signals()\n"
        "def send(number=signal.SIGTERM): os.kill(os.getpid(), number)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", given + code], capture_output=True, text=True, check=False
    )


def test_signal__that_is_ignored_stays_so():
    done = run(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "signals.install()\n"
        "send(signal.SIGHUP)\n"
        "print('goes on')\n"
    )
    assert (done.returncode, done.stdout) == (0, "goes on\n")


def test_signal__before_the_command_ends_the_program_at_once():
    done = run("signals.install()\ntry: send()\nfinally: print('went on', flush=True)\n")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "skpar-select: error: interrupted\n"


def test_second_signal__does_not_disturb_what_the_first_began():
    done = run(
        "signals.install()\n"
        "signals.command_begins()\n"
        "try: send()\n"
        "except KeyboardInterrupt:\n"
        "    send()\n"
        "    print('in order')\n"
        "signals.command_ends()\n"
        "send()\n"
        "print(signals.came)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "in order\nTrue\n", "")


def test_signal__after_the_command_does_not_disturb_its_end():
    done = run(
        "signals.install()\n"
        "signals.command_begins()\n"
        "signals.command_ends()\n"
        "send()\n"
        "print(signals.came)\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")


def test_signal__ends_at_once_what_does_not_end():
    done = run(
        "import time\n"
        "signals.install()\n"
        "signals.command_begins()\n"
        "try: send()\n"
        "except KeyboardInterrupt: signals.command_ends()\n"
        "signals._at_once_from = time.monotonic()  # as if seconds had gone\n"
        "send()\n"
        "print('went on')\n"
    )
    assert (done.returncode, done.stdout) == (130, "")


def test_main__with_arguments_leaves_signals_alone():
    done = run(
        "from skpar_select.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)\n"
    )
    assert done.stdout.splitlines()[-1] == "True"
