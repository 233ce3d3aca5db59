"""The command line: parse, call, write."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TextIO

import numpy as np
from sklearn.utils.validation import _check_feature_names_in

from skpar_select import __version__
from skpar_select._alignment import MissingIdsError
from skpar_select._inspection import inspection
from skpar_select._memory import parse_memory
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select.execution import choose_executor
from skpar_select.matrices import LazyMatrix, open_matrix
from skpar_select.tables import check_output, read_targets, write_matrix, write_scores

_EXAMPLE = """\
example:
  skpar-select score train.h5 --target ages.csv --target-column age -k 5000 --output scores.csv
"""
_ORIENTATIONS = ("samples_by_features", "features_by_samples", "auto")
# h5py reports some damaged files by KeyError and RuntimeError.
_FAULTS = (ImportError, KeyError, OSError, RuntimeError, ValueError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all went well, 2 after an error, 130 after Ctrl-C."""
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            options = _parser().parse_args(arguments)
            options.run(options)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has closed the pipe: the rest of the output is discarded.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except MemoryError as error:
            _say(
                "error",
                f"Out of memory{f' ({error})' if str(error) else ''}. All workers together must "
                "fit into what is free. Lower --memory-budget or --n-jobs.",
            )
            return 2
        except _FAULTS as error:
            message = str(error) or type(error).__name__
            _say("error", " ".join([message, *getattr(error, "__notes__", [])]))
            return 2
        except KeyboardInterrupt:
            _say("error", "interrupted")
            return 130
    return 0


def _score(options: argparse.Namespace) -> None:
    scores = check_output(options.output, inputs=(*options.matrix, options.target))
    _, selector = _fit(options)
    _write_scores(scores, selector)


def _select(options: argparse.Namespace) -> None:
    inputs = (*options.matrix, options.target)
    output = check_output(options.output, inputs=inputs)
    scores = options.scores and check_output(options.scores, inputs=inputs)
    if scores and scores.resolve() == output.resolve():
        raise ValueError(
            f"--output and --scores both name '{scores}'. Each needs a file of its own. Rename one."
        )
    X, selector = _fit(options)
    columns = selector.get_support(indices=True)
    names = selector.get_feature_names_out()
    executor = choose_executor(options.n_jobs, prefer="threads")
    budget = parse_memory(options.memory_budget)
    write_matrix(output, X, columns, names, executor, memory_budget=budget)
    print(f"{len(columns)} of {selector.n_features_in_} features written to {output}")
    if scores:
        _write_scores(scores, selector)


def _inspect(options: argparse.Namespace) -> None:
    X = _open(options)
    for line in inspection(X, memory_budget=options.memory_budget, n_jobs=options.n_jobs):
        print(line)


def _fit(options: argparse.Namespace) -> tuple[Any, ParallelMutualInfoSelector]:
    X = _open(options)
    if X.sample_ids is None:
        _say(
            "warning",
            "The matrix has no sample ids. Its rows are taken in the order of the targets. If they "
            "are in another order, name the dataset of ids with --sample-ids.",
        )
    with _remedy("Name the dataset with --sample-ids, or leave --id-column out."):
        y = read_targets(
            options.target,
            options.target_column,
            sample_ids=X.sample_ids,
            id_column=options.id_column,
            task=options.task,
        )
    selector = ParallelMutualInfoSelector(
        k=options.k,
        threshold=options.threshold,
        percentile=options.percentile,
        task=options.task,
        n_neighbors=options.n_neighbors,
        random_state=options.random_state,
        memory_budget=options.memory_budget,
        n_jobs=options.n_jobs,
        score_cache=options.score_cache,
        verbose=sys.stderr.isatty(),
    )
    return X, selector.fit(X, y)


def _open(options: argparse.Namespace) -> LazyMatrix:
    dataset = options.dataset if options.layer is None else f"layers/{options.layer}"
    orientation, n_samples = options.orientation, None
    if orientation == "auto":
        targets = read_targets(options.target, options.target_column, task=options.task)
        n_samples = len(targets)
        if n_samples not in open_matrix(options.matrix[0], dataset).shape:
            # The alignment by id names the samples that have no partner.
            orientation, n_samples = "samples_by_features", None
    with _remedy("--same-order takes files without ids, if their rows are all in the same order."):
        return open_matrix(
            options.matrix,
            dataset,
            feature_names=options.feature_names,
            sample_ids=None if options.same_order else options.sample_ids,
            orientation=orientation,
            n_samples=n_samples,
            align="order" if options.same_order else "id",
        )


@contextmanager
def _remedy(sentence: str) -> Iterator[None]:
    """Add what the command line can do where ids are missing."""
    try:
        yield
    except MissingIdsError as error:
        error.add_note(sentence)
        raise


def _write_scores(path: Path, selector: ParallelMutualInfoSelector) -> None:
    names = _check_feature_names_in(selector)
    selected = selector.get_support()
    write_scores(path, names, selector.scores_, selected)
    print(f"{len(names)} scores written to {path}, {np.count_nonzero(selected)} selected")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="skpar-select",
        description="Score every column of a matrix by its mutual information with a target.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, run, output, text in (
        (
            "score",
            _score,
            "CSV file of the scores: feature,score,selected; best first",
            "write the scores",
        ),
        (
            "select",
            _select,
            "HDF5 file of the reduced matrix",
            "write the matrix of the best columns",
        ),
    ):
        command = commands.add_parser(name, help=text, description=f"Score a matrix and {text}.")
        command.set_defaults(run=run)
        _add_input(command)
        _add_rules(command)
        _add_scoring(command)
        group = command.add_argument_group("output")
        group.add_argument("--output", required=True, metavar="FILE", help=output)
        if name == "select":
            group.add_argument("--scores", metavar="CSV", help="CSV file of the scores, too")
    text = "show how a file stores a matrix and how it would be read"
    command = commands.add_parser("inspect", help=text, description=f"{text.capitalize()}.")
    command.set_defaults(run=_inspect)
    _add_input(command, target=False)
    _add_workers(command.add_argument_group("plan"))
    return parser


def _add_input(command: argparse.ArgumentParser, *, target: bool = True) -> None:
    group = command.add_argument_group("input")
    group.add_argument(
        "matrix",
        nargs="+",
        metavar="MATRIX",
        help="HDF5, .npy or AnnData file, or one of pandas' to_hdf; several are one wide matrix",
    )
    if target:
        _add_target(group)
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--dataset", metavar="DATASET", help="the matrix in its file (default: the only one)"
    )
    which.add_argument("--layer", metavar="NAME", help="a layer of an AnnData file (default: X)")
    group.add_argument(
        "--orientation",
        choices=_ORIENTATIONS if target else _ORIENTATIONS[:2],
        default="auto" if target else _ORIENTATIONS[0],
        help="how it is stored (default: "
        + (
            "the axis as long as the targets are the samples, if one alone is)"
            if target
            else "%(default)s)"
        ),
    )
    group.add_argument(
        "--same-order",
        action="store_true",
        help="all files have their rows in the order of the targets; ids are not used",
    )
    for option, what in (("--feature-names", "feature names"), ("--sample-ids", "sample ids")):
        group.add_argument(
            option,
            type=_names,
            default="auto",
            metavar="DATASET",
            help=f"its {what}, or none (default: what is found beside the matrix)",
        )


def _add_target(group: Any) -> None:
    group.add_argument("--target", required=True, metavar="CSV", help="file of the targets")
    group.add_argument(
        "--target-column", required=True, metavar="NAME", help="its column to predict"
    )
    group.add_argument(
        "--id-column",
        metavar="NAME",
        help="its column of sample ids (default: the first in which an id of the matrix occurs)",
    )


def _add_rules(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("rules; those given together all hold")
    group.add_argument(
        "-k",
        type=_number_of_features,
        default="auto",
        metavar="K",
        help="how many: 5000, a fraction such as 0.01, or all (default: 10 where no other rule is given)",
    )
    group.add_argument("--threshold", type=float, metavar="NATS", help="the least score")
    group.add_argument("--percentile", type=float, metavar="P", help="the best P percent")


def _add_scoring(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("scoring")
    group.add_argument(
        "--task",
        choices=("regression", "classification"),
        default="regression",
        help="whether the target is a number or a class (default: %(default)s)",
    )
    group.add_argument(
        "--n-neighbors", type=int, default=3, metavar="N", help="default: %(default)s"
    )
    group.add_argument(
        "--random-state",
        type=int,
        default=0,
        metavar="SEED",
        help="seed of the noise that breaks ties (default: 0)",
    )
    _add_workers(group)
    group.add_argument(
        "--score-cache", metavar="FOLDER", help="where scores are kept and looked for first"
    )


def _add_workers(group: Any) -> None:
    group.add_argument(
        "--memory-budget",
        default="auto",
        metavar="BYTES",
        help="such as 2GB (default: a share of what is free)",
    )
    group.add_argument(
        "--n-jobs", type=int, default=-1, metavar="N", help="workers (default: all cores)"
    )


def _names(text: str) -> str | None:
    return None if text == "none" else text


def _number_of_features(text: str) -> int | float | str:
    if text in ("all", "auto"):
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of features. It must be a whole number, a fraction, all or auto. "
            "Give for example 5000 or 0.01."
        ) from None


def _say(kind: str, message: object) -> None:
    """Print one line, whatever line breaks the message has."""
    line = " ".join(str(message).split())
    print(f"skpar-select: {kind}: {line}", file=sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _say("warning", message)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with one line, without the usage."""
        _say("error", f"{message.rstrip('.')}. See {self.prog} --help.")
        self.exit(2)
