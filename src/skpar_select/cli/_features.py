"""Which features are scored, and which of them are discrete: by the names in text files."""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from skpar_select._typing import Names
from skpar_select._wording import counted, did_you_mean, listing
from skpar_select.matrices import LazyMatrix, read_list

DISCRETE_WORDS = ("all", "none", "auto")


def choose_features(X: LazyMatrix, options: Namespace) -> LazyMatrix:
    """Keep the features that are listed, and leave out those that are listed, in their order."""
    if options.features is None and options.exclude_features is None:
        return X
    names = names_of(X, "--features and --exclude-features")
    kept = set(names)
    if options.features is not None:
        kept &= _listed(options.features, names)
    if options.exclude_features is not None:
        kept -= _listed(options.exclude_features, names)
    if not kept:
        raise ValueError(
            f"--features and --exclude-features leave none of {counted(len(names), 'feature')}. At "
            "least one is scored. Name others."
        )
    chosen: LazyMatrix = X[:, [name in kept for name in names]]
    return chosen


def discrete_features(which: str, X: LazyMatrix, chosen: LazyMatrix) -> str | bool | list[str]:
    """Return what `discrete_features` of the selector is for the chosen features of a matrix."""
    if which in ("all", "none"):
        return which == "all"
    if which == "auto":
        return which
    listed = _listed(which, names_of(X, "--discrete-features"))
    return [name for name in names_of(chosen, "--discrete-features") if name in listed]


def names_of(X: LazyMatrix, what: str) -> list[str]:
    """Return the names of the features, which an option needs."""
    if X.feature_names is None:
        raise ValueError(
            f"No feature names are known for {X.label}. They are needed for {what}. Name them with "
            "--feature-names or --feature-names-file."
        )
    return list(X.feature_names)


def shown_names(X: LazyMatrix) -> Names:
    """Return the names of the features, or numbers as scikit-learn calls them."""
    names = X.feature_names
    if names is None:
        names = np.array([f"x{column}" for column in range(X.shape[1])], dtype=object)
    return names


def check_known(label: str, listed: Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the listed names, or raise ValueError for those that the matrix lacks."""
    found, known = set(listed), set(names)
    unknown = [name for name in dict.fromkeys(listed) if name not in known]
    if unknown:
        raise ValueError(
            f"{label} lists {counted(len(found), 'feature')}, of which the matrix lacks {len(unknown)} "
            f"({listing(unknown)}). All must be among its {len(names)} names ({listing(names)}). "
            f"{did_you_mean(unknown[0], names) or 'Remove them.'}"
        )
    return found


def _listed(file: str, names: list[str]) -> set[str]:
    return check_known(f"'{file}'", read_list(Path(file), f"'{file}'"), names)
