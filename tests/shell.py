"""What the tests of the command line share: its outcomes, and the files that it is given."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import h5py

N_SAMPLES, N_FEATURES = 60, 7
IDS = [f"s{index:02}" for index in range(N_SAMPLES)]
NAMES = [f"site{index}" for index in range(N_FEATURES)]

# What a person at a shell must not be told: parameters, objects and modules of Python.
PYTHON = re.compile(
    r"[a-z_]=['\"\[({]|\b\w+=(None|True|False)\b|\bNone\b|\bnp\.|\bsklearn|\bX\[|\bX\.|"
    r"(?<!')\by (has|holds|contains|is|and)\b|"
    r"\b(memory_budget|n_jobs|n_neighbors|random_state|sample_ids|feature_names|min_observed|"
    r"missing_targets|exclude_samples|id_column|discrete_features|n_samples|n_features)\b|"
    r"\bskpar_select\b|ParallelMutualInfoSelector|Traceback|\bpathlib\b|\bopen_matrix\b|<class|\bself\.\w"
)


@dataclass
class Outcome:
    """What a call left."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def described(self):
        """The lines of stdout that name something, by that name."""
        return {line[:15].rstrip(): line[15:] for line in self.lines if line[14:15] == " "}

    @property
    def error(self):
        """The only line on stderr."""
        assert self.code == 2
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("skpar-select: error: ")
        return self.err

    @property
    def notes(self):
        return [line for line in self.err.splitlines() if line.startswith("skpar-select: note: ")]


def write_matrix(name, values, *, ids=IDS, names=NAMES, dataset="data"):
    with h5py.File(name, "w") as file:
        file[dataset] = values
        if names is not None:
            file["features"] = names
        if ids is not None:
            file["samples"] = ids


def write_table(name, rows, header=("sample_id", "age"), delimiter=",", encoding="utf-8"):
    with open(name, "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])


def write_lines(name, lines):
    Path(name).write_text("".join(f"{line}\n" for line in lines))
    return name


def read_scores(name="out.csv"):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


def selected(name="out.csv"):
    return [row["feature"] for row in read_scores(name) if row["selected"] == "true"]
