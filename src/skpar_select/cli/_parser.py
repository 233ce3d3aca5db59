"""The options of each command. Nothing heavy is imported here, so that help is there at once."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any, cast

from skpar_select._version import __version__
from skpar_select.cli import _values as values
from skpar_select.cli._once import Parser

_EXAMPLES = """\
examples:
  skpar-select score train.h5 --target ages.csv --target-column age -k 5000 -o scores.csv
  skpar-select select train.h5 --from scores.csv -k 500 -o reduced.h5
  skpar-select inspect train.h5
  skpar-select score train.h5 --target ages.csv --target-column age --shard 3/16 -o part3
  skpar-select merge part* -k 5000 -o scores.csv

@FILE stands for options that are written in a file.
"""

_SCORES_FILE = (
    "file of the scores, best first: .csv, .tsv, either with .gz, .parquet or .h5; or - for CSV "
    "on stdout (default: the best ten are shown, and nothing is written)"
)

# What the library calls otherwise than the command line.
_ALIASES = {
    "align": "same_order",
    "column": "target_column",
    "missing_targets": "missing_targets",
}


def parse(parser: Parser, arguments: Sequence[str] | None) -> Namespace:
    """Return the options; end the program where they are wrong, or ask for help."""
    return parser.parse(arguments)


def words_of(parser: Parser, command: str) -> dict[str, str]:
    """Return the option for each parameter of the library that a command sets."""
    commands = _commands(parser)
    # What is merged was scored.
    named = [commands["score"], commands[command]] if command == "merge" else [commands[command]]
    options = {
        action.dest: max(action.option_strings, key=len)
        for one in named
        for action in one._actions
        if action.option_strings
    }
    aliases = {name: options[dest] for name, dest in _ALIASES.items() if dest in options}
    return options | aliases


def make_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="skpar-select",
        description="Score every column of a matrix by its mutual information with a target.",
        epilog=_EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for name, add, text in (
        ("score", _add_score, "score a matrix and write the scores"),
        (
            "select",
            _add_select,
            "score a matrix, or take known scores, and write the matrix of the best columns",
        ),
        ("merge", _add_merge, "join the parts of all shards and write the scores"),
        ("inspect", _add_inspect, "show how a file stores a matrix and how it would be read"),
        (
            "repack",
            _add_repack,
            "write a matrix anew so that a block of columns is read without the rest",
        ),
        ("convert", _add_convert, "write a matrix of text, such as CSV, to HDF5"),
    ):
        command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
        add(command)
        _add_messages(command)
        actions = command._actions
        command.set_defaults(
            known_options={option for action in actions for option in action.option_strings},
            defaults={action.dest: action.default for action in actions},
        )
    return parser


def _commands(parser: Parser) -> dict[str, ArgumentParser]:
    assert parser._subparsers is not None
    (action,) = (action for action in parser._subparsers._group_actions if action.choices)
    return cast(dict[str, ArgumentParser], action.choices)


def _add_score(command: ArgumentParser) -> None:
    _add_matrix(command)
    _add_target(command)
    _add_subsets(command)
    _add_rules(command)
    _add_scoring(command)
    group = _add_output(command, _SCORES_FILE)
    _add_shard(
        group,
        "score one of N shards of the features, as 3/16, and write a part, which merge joins with the "
        "others; rules are given to merge",
    )


def _add_merge(command: ArgumentParser) -> None:
    command.add_argument(
        "parts", nargs="+", metavar="PART", help="what score --shard has written, of all shards"
    )
    _add_aggregate(_add_rules(command))
    _add_output(command, _SCORES_FILE)


def _add_select(command: ArgumentParser) -> None:
    _add_matrix(command)
    _add_target(command)
    _add_subsets(command)
    _add_rules(command)
    _add_scoring(command)
    group = _add_output(
        command,
        "file of the reduced matrix: .h5, .h5ad, .csv, .tsv, either with .gz, or .parquet",
        required=True,
    )
    group.add_argument("--scores", metavar="FILE", help="file of the scores, too")
    group.add_argument(
        "--from",
        dest="from_scores",
        metavar="FILE",
        help="scores of an earlier run, to which the rules are applied: nothing is scored",
    )


def _add_inspect(command: ArgumentParser) -> None:
    _add_matrix(command)
    _add_target(command)
    _add_subsets(command)
    _add_scoring(command)
    _add_shard(command, "show what one of N shards, as 3/16, reads")


def _add_convert(command: ArgumentParser) -> None:
    command.add_argument(
        "source", metavar="TABLE", help="matrix of text: CSV with any separator, packed or not"
    )
    command.add_argument("output", metavar="HDF5", help="file that is written: .h5 or .hdf5")
    command.add_argument(
        "--orientation",
        choices=("samples_by_features", "features_by_samples"),
        default="samples_by_features",
        help="what a line of the text is: a sample, or a feature (default: %(default)s)",
    )
    command.add_argument(
        "--dtype",
        choices=("float64", "float32"),
        default="float64",
        help="type of the values that are written (default: %(default)s)",
    )
    command.add_argument(
        "--separator", metavar="SIGN", help="what parts the cells (default: told by the first line)"
    )
    command.add_argument("--overwrite", action="store_true", help="replace a file that exists")


def _add_repack(command: ArgumentParser) -> None:
    _add_matrix(command)
    command.add_argument("output", metavar="HDF5", help="file that is written: .h5 or .hdf5")
    _add_same_order(command, "the files have their rows in one order: they are joined by position")
    _add_resources(command.add_argument_group("resources"))
    command.add_argument("--overwrite", action="store_true", help="replace a file that exists")


def _add_matrix(command: ArgumentParser) -> None:
    group = command.add_argument_group("matrix")
    group.add_argument(
        "matrix",
        nargs="+",
        metavar="MATRIX",
        help="HDF5, AnnData, Zarr, Parquet or .npy file, or one of pandas' to_hdf; several are one "
        "wide matrix",
    )
    which = group.add_mutually_exclusive_group()
    which.add_argument(
        "--dataset", metavar="DATASET", help="the matrix in its file (default: the only one)"
    )
    which.add_argument("--layer", metavar="NAME", help="a layer of an AnnData file (default: X)")
    group.add_argument(
        "--orientation",
        choices=("samples_by_features", "features_by_samples", "auto"),
        default="auto",
        help="how it is stored (default: told by the lengths of its names, its ids and the target)",
    )
    for what, option, text in (
        ("feature names", "--feature-names", "--feature-names-file"),
        ("sample ids", "--sample-ids", "--sample-ids-file"),
    ):
        either = group.add_mutually_exclusive_group()
        either.add_argument(
            option,
            type=values.name_or_none,
            default="auto",
            metavar="DATASET",
            help=f"its {what}, or none (default: what is found beside the matrix)",
        )
        either.add_argument(text, metavar="FILE", help=f"text file of its {what}, one a line")


def _add_target(command: ArgumentParser) -> None:
    group = command.add_argument_group("target")
    group.add_argument(
        "--target",
        metavar="FILE",
        help="table of the target: CSV with any separator, packed or not, Parquet, .h5ad, or - for "
        "stdin (default: the file of the matrix)",
    )
    group.add_argument(
        "--target-column",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="its column to predict; several are scored in one pass",
    )
    group.add_argument(
        "--id-column",
        metavar="NAME",
        help="its column of sample ids (default: the one that holds most ids of the matrix)",
    )
    _add_same_order(
        group,
        "all files have their rows in the order of the target: they are joined by position",
    )
    group.add_argument(
        "--task",
        choices=("regression", "classification"),
        default="regression",
        help="whether the target is a number or a class (default: %(default)s)",
    )


def _add_subsets(command: ArgumentParser) -> None:
    group = command.add_argument_group("subsets")
    group.add_argument(
        "--unmatched",
        choices=("raise", "drop"),
        default="raise",
        help="what becomes of samples without a row in the table, and of rows without a sample "
        "(default: an error)",
    )
    group.add_argument(
        "--missing-targets",
        choices=("raise", "drop"),
        default="raise",
        help="what becomes of samples whose target is missing (default: an error)",
    )
    for option, text in (
        ("--samples", "text file of the sample ids to keep, one a line"),
        ("--exclude-samples", "text file of sample ids to leave out"),
        ("--features", "text file of the feature names to keep, one a line"),
        ("--exclude-features", "text file of feature names to leave out"),
    ):
        group.add_argument(option, metavar="FILE", help=text)
    group.add_argument(
        "--where",
        action="append",
        metavar="CONDITION",
        help="keep the samples of which the table says so, as in sex=F or 'age>=40'; may be "
        "repeated, and all must hold",
    )


def _add_rules(command: ArgumentParser) -> Any:
    group = command.add_argument_group("rules; those given together all hold")
    group.add_argument(
        "-k",
        type=values.number_of_features,
        default="auto",
        metavar="K",
        help="how many: 5000, 5%%, 0.05 or all (default: 10 where no other rule is given)",
    )
    group.add_argument("--threshold", type=values.finite, metavar="NATS", help="the least score")
    group.add_argument(
        "--percentile", type=values.percentage, metavar="P", help="the best P percent"
    )
    return group


def _add_scoring(command: ArgumentParser) -> None:
    group = command.add_argument_group("scoring")
    group.add_argument(
        "--missing",
        choices=("raise", "omit", "skip"),
        default="raise",
        help="what becomes of a column with NaN: an error; scored on the samples where it is there; "
        "or not scored (default: %(default)s)",
    )
    group.add_argument(
        "--min-observed",
        type=values.number_or_share_of_samples,
        default=0.5,
        metavar="N",
        help="the fewest values that --missing omit scores, as 20 or 50%% (default: 50%%)",
    )
    _add_aggregate(group)
    group.add_argument(
        "--discrete-features",
        default="auto",
        metavar="WHICH",
        help="all, none, auto (all of a sparse matrix, none of another), or a text file of names",
    )
    group.add_argument(
        "--n-neighbors",
        type=values.whole_number(1),
        default=3,
        metavar="N",
        help="by which densities are estimated (default: %(default)s)",
    )
    group.add_argument(
        "--marginals",
        choices=("raw", "rank"),
        default="raw",
        help="whether quantities are scored as they are, or by their ranks, which adds rank "
        "correlations (default: %(default)s)",
    )
    group.add_argument(
        "--random-state",
        type=values.whole_number(0, 2**32 - 1),
        default=0,
        metavar="SEED",
        help="seed of the noise that breaks ties (default: %(default)s)",
    )
    _add_resources(group)
    group.add_argument(
        "--store",
        metavar="FOLDER",
        help="where finished blocks are kept, so that a command that was stopped goes on",
    )


def _add_aggregate(group: Any) -> None:
    group.add_argument(
        "--aggregate",
        choices=("max", "mean"),
        default="max",
        help="how the scores of several targets become the one that decides (default: %(default)s)",
    )


def _add_output(command: ArgumentParser, text: str, *, required: bool = False) -> Any:
    group = command.add_argument_group("output")
    group.add_argument("-o", "--output", required=required, metavar="FILE", help=text)
    group.add_argument("--overwrite", action="store_true", help="replace files that exist")
    return group


def _add_shard(group: Any, text: str) -> None:
    group.add_argument("--shard", type=values.shard, metavar="I/N", help=text)


def _add_messages(command: ArgumentParser) -> None:
    group = command.add_argument_group("messages").add_mutually_exclusive_group()
    group.add_argument(
        "--progress",
        choices=("auto", "line", "log", "none"),
        default="auto",
        help="how it is shown on stderr: a line that is drawn again, or one for each tenth "
        "(default: the first on a terminal, else the second)",
    )
    group.add_argument("--quiet", action="store_true", help="say nothing but errors")


def _add_same_order(group: Any, text: str) -> None:
    group.add_argument("--same-order", action="store_true", help=text)


def _add_resources(group: Any) -> None:
    group.add_argument(
        "--memory-budget",
        type=values.amount_of_memory,
        default="auto",
        metavar="BYTES",
        help="such as 2GB (default: a share of what is free)",
    )
    group.add_argument(
        "--n-jobs",
        type=values.number_of_workers,
        default=-1,
        metavar="N",
        help="workers (default: all cores)",
    )
