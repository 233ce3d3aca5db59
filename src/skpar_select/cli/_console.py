"""All that the command line says: results on stdout; notes, warnings and errors on stderr.

Messages of the library name parameters (``memory_budget=1``), as its users in Python need; here
they are put into the words of the options (``--memory-budget 1``).
"""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from skpar_select.scoring import Progress

# A parameter with its value, or a text in quotes, in which nothing is replaced. An apostrophe of
# a genitive begins none.
_PARAMETER = re.compile(
    r"""(?<![\w'])(?P<name>[a-z_]+)=(?P<value>'[^']*'|"[^"]*"|\[[^]]*\]|[^\s,;:)]*[^\s,;:.)])"""
    r"|(?<!\w)'[^']*'(?!\w)"
    r"|(?P<bare>\b[a-z]+(?:_[a-z]+)+\b)"
)
_COUNTED = {"n_samples": "samples", "n_features": "features", "n_targets": "targets"}

# What cannot be said by a table of words. The remedies of the library are in Python; these are
# what the shell has for them.
_PHRASES = (
    (r"; it takes effect without a new fit\b", ""),
    (r"\balign='order'", "--same-order"),
    (r"^samples and exclude_samples are ids\b", "--samples and --exclude-samples hold ids"),
    (r"^samples holds\b", "--samples holds"),
    (
        r"\bName the ids of the matrix when it is opened, with sample_ids, or slice it, X\[rows\]",
        "Name its ids with --sample-ids or --sample-ids-file",
    ),
    (r"\bName the dataset of ids\b", "Name the dataset of ids with --sample-ids"),
    (r"\bname it with strata, which\b", "name it with --strata, which"),
    (r"\bwith threshold or k\b", "with --threshold or -k"),
    (r"\bleave out pvalues, fdr, fwer and fpr\b", "leave out --pvalues, --fdr, --fwer and --fpr"),
    (r"\bleave fdr, fwer and fpr out\b", "leave --fdr, --fwer and --fpr out"),
    (r"\bStrata and covariates name\b", "--strata and --covariates name"),
    (r"\bnot in samples\b", "not in --samples"),
    (r"\b(ids?) of samples without\b", r"\1 of --samples without"),
    (r"\bSet orientation to\b", "Give --orientation"),
    (r"\bset orientation to\b", "give --orientation"),
    (r", or (correct|give) n_samples\b", ""),
    (r"\bOpen it again with open_matrix\b", "Run it again"),
    (r"\bwith where of skpar_select\.align\b", "with --where"),
    (r"\bLoosen samples, exclude_samples or where\b", "Loosen --samples or --where"),
    (
        r"\bMatch them by id, with match='id'",
        "Leave --same-order or --sample-ids none out to match them by id",
    ),
    (
        r"\bits lines are given as (feature_names|sample_ids)=pathlib\.Path\('([^']*)'\)",
        r"its lines are given by \1_file=\2",
    ),
    (
        r"`y` could represent a regression problem, not a classification problem",
        "They may be numbers, for which --task classification is left out",
    ),
    (r",? or None\b", ""),
    (r"(^|\. )X (has|holds|contains|lacks)\b", r"\1The matrix \2"),
    (r"(^|\. )y (has|holds|contains|lacks)\b", r"\1The target \2"),
    (r"\bX (has|holds|contains|lacks)\b", r"the matrix \1"),
    (r" in the selector to score\b", " to score"),
    (r"; no imputer takes infinity\b", ", or leave these columns out with --exclude-features"),
    (
        r"\bfrom skpar_select\.tables import convert_csv; convert_csv\('([^']*)', '([^']*)'\)",
        r"skpar-select convert \1 \2",
    ),
    (
        r"\b(Convert it once|Give X itself to the selector): (import|from) .*",
        "Convert it once; docs/containers.md has a line for each kind.",
    ),
    (r"\bskpar_select\.tables\.repack_matrix\b", "skpar-select repack"),
    (r": open_matrix\(\[\.\.\.\]\)", ""),
    (r"; n_observed_ tells how many values each has\b", ""),
    (r" of skpar_select\.align\b", ""),
    (r", as a pathlib\.Path\b", ""),
    (r"\bgive the (names|ids) themselves\b", r"name a text file of \1"),
)


class Console:
    """Says things, in the words of the command line.

    Parameters
    ----------
    words : mapping of str to str
        The option for each parameter of the library.
    quiet : bool
        Whether errors alone are said.
    progress : {"auto", "line", "log", "none"}
        How progress is shown.
    """

    def __init__(self, words: Mapping[str, str], *, quiet: bool, progress: str) -> None:
        self._words = words
        self._quiet = quiet
        self._progress = progress
        self._stdout_is_taken = False
        self._targets: Sequence[str] = ()

    def name_targets(self, columns: Sequence[str]) -> None:
        """Know the targets by their names, where the library counts them."""
        self._targets = columns

    def option(self, parameter: str) -> str:
        """Return the option that sets a parameter."""
        return self._words[parameter]

    def take_stdout(self) -> None:
        """Leave stdout to a table: nothing else is printed there."""
        self._stdout_is_taken = True

    def table(self) -> TextIO:
        """Return what a table is written to: stdout, or a terminal behind it that is sent no codes."""
        return cast(TextIO, _Terminal(sys.stdout)) if sys.stdout.isatty() else sys.stdout

    def result(self, line: str) -> None:
        """Print a line of results on stdout."""
        if not self._quiet and not self._stdout_is_taken:
            print(printable(line))

    def note(self, message: str) -> None:
        """Say what was done beside the results."""
        if not self._quiet:
            self._say("note", message)

    def warning(self, message: str) -> None:
        """Say what may be wrong."""
        if not self._quiet:
            self._say("warning", message)

    def error(self, message: str) -> None:
        """Say why there are no results."""
        self._say("error", message)

    def show_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Stand in for :func:`warnings.showwarning`."""
        from skpar_select import DroppedSamplesWarning

        if issubclass(category, DroppedSamplesWarning):
            self.note(str(message))
        else:
            self.warning(str(message))

    def progress(self) -> "Progress | None":
        """Return what shows progress, if anything does."""
        from skpar_select.scoring import ProgressLine, ProgressLog, progress_on

        if self._quiet or self._progress == "none":
            return None
        return {"auto": progress_on, "line": ProgressLine, "log": ProgressLog}[self._progress]()

    def _say(self, kind: str, message: str) -> None:
        """Print one line, whatever line breaks the message has."""
        for position, name in enumerate(self._targets):
            message = message.replace(f"y[:, {position}]", repr(name))
        line = " ".join(in_words(message, self._words).split())
        print(printable(f"skpar-select: {kind}: {line}"), file=sys.stderr)


class _Terminal:
    """A stream of text to a terminal, in lines, without what a terminal would obey."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write lines."""
        for line in text.splitlines(keepends=True):
            end = "\n" if line.endswith("\n") else ""
            self._stream.write(printable(line.removesuffix("\n")) + end)
        return len(text)


def printable(text: str) -> str:
    r"""Write what a terminal would obey or hide, such as escape codes in a name, as Python does.

    Examples
    --------
    >>> printable("cg01\x1b[2J")
    'cg01\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def in_words(message: str, words: Mapping[str, str]) -> str:
    """Put a message of the library into the words of the command line.

    Examples
    --------
    >>> in_words("n_jobs=0 leaves no worker.", {"n_jobs": "--n-jobs"})
    '--n-jobs 0 leaves no worker.'
    >>> in_words("Set dataset='M', or raise memory_budget.", {"dataset": "--dataset"})
    'Set --dataset M, or raise memory_budget.'
    """

    def replace(match: re.Match[str]) -> str:
        if match["bare"] is not None:
            return words.get(match["bare"], match["bare"])
        name, value = match["name"], match["value"]
        if name is None:
            return match[0]
        if name in _COUNTED and value.isdecimal():
            return f"{value} {_COUNTED[name]}"
        option = words.get(name, name)
        if value == "True":
            return option
        if value == "None":
            none = {"--feature-names": f"{option} none", "--sample-ids": f"{option} none"}
            return none.get(option, f"no {option}")
        plain = value[1:-1] if value[:1] in "'\"" and " " not in value else value
        if value[0] == "[":
            plain = " ".join(part.strip(" '\"") for part in value[1:-1].split(","))
        return f"{option} {plain}"

    for pattern, phrase in _PHRASES:
        message = re.sub(pattern, phrase, message)
    return _PARAMETER.sub(replace, message)
