"""Groups of options, which several commands have. Nothing heavy is imported here."""

from argparse import ArgumentParser
from typing import Any

from skpar_select.cli import _values as values


def add_matrix(command: ArgumentParser) -> None:
    """Add what is scored, and how it lies in its file."""
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


def add_target(command: ArgumentParser) -> None:
    """Add what it is scored against, and how the rows are joined."""
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
    add_same_order(
        group,
        "all files have their rows in the order of the target: they are joined by position",
    )
    group.add_argument(
        "--task",
        choices=("regression", "classification"),
        default="regression",
        help="whether the target is a number or a class (default: %(default)s)",
    )


def add_confounders(command: ArgumentParser) -> None:
    """Add what drives features and target alike: columns of the table of the target."""
    group = command.add_argument_group("confounders; columns of the table of the target")
    group.add_argument(
        "--strata",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="labels that are held fixed, such as batch: features are scored within each combination",
    )
    group.add_argument(
        "--covariates",
        nargs="+",
        action="extend",
        metavar="NAME",
        help="numbers that are regressed out of features and target before these are scored",
    )
    group.add_argument(
        "--covariate-knots",
        type=values.number_of_knots,
        default=0,
        metavar="N",
        help="regress on cubic splines with so many knots, 3 or more (default: 0, straight lines)",
    )


def add_subsets(command: ArgumentParser) -> None:
    """Add which samples and features count."""
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
        help="what becomes of samples whose target, stratum or covariate is missing (default: an error)",
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


def add_rules(command: ArgumentParser) -> Any:
    """Add what makes a feature be selected; return the group."""
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
    group.add_argument(
        "--fdr",
        type=values.rate,
        metavar="Q",
        help="expected share of false ones among those that are selected, as 0.05 or 5%%",
    )
    group.add_argument(
        "--fwer", type=values.rate, metavar="P", help="chance of any false one, after Bonferroni"
    )
    group.add_argument(
        "--fpr", type=values.rate, metavar="P", help="chance of each false one to be selected"
    )
    group.add_argument(
        "--fdr-method",
        choices=("bh", "by"),
        default="bh",
        help="how q-values are made: after Benjamini and Hochberg, or Benjamini and Yekutieli, for features "
        "that depend on each other in any way (default: %(default)s)",
    )
    return group


def add_tests(command: ArgumentParser) -> None:
    """Add how p-values are made."""
    group = command.add_argument_group("p-values; --fdr, --fwer and --fpr ask for them, too")
    group.add_argument("--pvalues", action="store_true", help="give the p-value of each score")
    group.add_argument(
        "--test",
        choices=("mi", "combined"),
        default="mi",
        help="of the mutual information, or of the better of it and the rank correlation (default: "
        "%(default)s)",
    )
    group.add_argument(
        "--test-neighbors",
        type=values.number_of_test_neighbors,
        default="auto",
        metavar="N",
        help="neighbours of the test, which may be more than those of the score (default: auto, about the "
        "square root of the samples, at most 30)",
    )


def add_scoring(command: ArgumentParser) -> None:
    """Add how a column is scored."""
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
    add_aggregate(group)
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
    add_resources(group)
    group.add_argument(
        "--store",
        metavar="FOLDER",
        help="where finished blocks are kept, so that a command that was stopped goes on",
    )


def add_aggregate(group: Any) -> None:
    """Add how several targets are joined."""
    group.add_argument(
        "--aggregate",
        choices=("max", "mean"),
        default="max",
        help="how the scores of several targets become the one that decides (default: %(default)s)",
    )


def add_output(command: ArgumentParser, text: str, *, required: bool = False) -> Any:
    """Add the file that is written; return the group."""
    group = command.add_argument_group("output")
    group.add_argument("-o", "--output", required=required, metavar="FILE", help=text)
    group.add_argument("--overwrite", action="store_true", help="replace files that exist")
    return group


def add_shard(group: Any, text: str) -> None:
    """Add which share of the features is meant."""
    group.add_argument("--shard", type=values.shard, metavar="I/N", help=text)


def add_messages(command: ArgumentParser) -> None:
    """Add what is said."""
    group = command.add_argument_group("messages").add_mutually_exclusive_group()
    group.add_argument(
        "--progress",
        choices=("auto", "line", "log", "none"),
        default="auto",
        help="how it is shown on stderr: a line that is drawn again, or one for each tenth "
        "(default: the first on a terminal, else the second)",
    )
    group.add_argument("--quiet", action="store_true", help="say nothing but errors")


def add_same_order(group: Any, text: str) -> None:
    """Add that rows are joined by position."""
    group.add_argument("--same-order", action="store_true", help=text)


def add_resources(group: Any) -> None:
    """Add what memory and processors may be used."""
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
