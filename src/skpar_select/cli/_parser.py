"""The options of each command. Nothing heavy is imported here, so that help is there at once."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import cast

from skpar_select._version import __version__
from skpar_select.cli import _options as groups
from skpar_select.cli._once import Parser

_EXAMPLES = """\
examples:
  skpar-select score train.h5 --target ages.csv --target-column age -k 5000 -o scores.csv
  skpar-select select train.h5 --from scores.csv -k 500 -o reduced.h5
  skpar-select inspect train.h5
  skpar-select score train.h5 --target ages.csv --target-column age --strata sex --fdr 0.05
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
        groups.add_messages(command)
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
    groups.add_matrix(command)
    groups.add_target(command)
    groups.add_confounders(command)
    groups.add_subsets(command)
    groups.add_rules(command)
    groups.add_scoring(command)
    groups.add_tests(command)
    group = groups.add_output(command, _SCORES_FILE)
    groups.add_shard(
        group,
        "score one of N shards of the features, as 3/16, and write a part, which merge joins with the "
        "others; rules are given to merge",
    )


def _add_merge(command: ArgumentParser) -> None:
    command.add_argument(
        "parts", nargs="+", metavar="PART", help="what score --shard has written, of all shards"
    )
    groups.add_aggregate(groups.add_rules(command))
    groups.add_output(command, _SCORES_FILE)


def _add_select(command: ArgumentParser) -> None:
    groups.add_matrix(command)
    groups.add_target(command)
    groups.add_confounders(command)
    groups.add_subsets(command)
    groups.add_rules(command)
    groups.add_scoring(command)
    groups.add_tests(command)
    group = groups.add_output(
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
    groups.add_matrix(command)
    groups.add_target(command)
    groups.add_confounders(command)
    groups.add_subsets(command)
    groups.add_scoring(command)
    groups.add_tests(command)
    groups.add_shard(command, "show what one of N shards, as 3/16, reads")


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
    groups.add_matrix(command)
    command.add_argument("output", metavar="HDF5", help="file that is written: .h5 or .hdf5")
    groups.add_same_order(
        command, "the files have their rows in one order: they are joined by position"
    )
    groups.add_resources(command.add_argument_group("resources"))
    command.add_argument("--overwrite", action="store_true", help="replace a file that exists")
