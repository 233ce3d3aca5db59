"""Messages of the library in the words of the command line."""

import ast
from pathlib import Path

import pytest
from shell import PYTHON

import skpar_select
from skpar_select.cli._console import in_words, printable
from skpar_select.cli._parser import make_parser, words_of

WORDS = words_of(make_parser(), "select")
PACKAGE = Path(skpar_select.__file__).parent
# The command line hands in files and their names; what others hand in is said in their words.
ROOMS = ("tables", "planning", "execution", "matrices/io", "matrices/readers", "matrices/formats")
OF_OBJECTS = {"matrices/formats/_held_anndata.py"}
NEVER_SAID = (
    "V=V is text. It must be a sequence",
    "X=V is no matrix, but a V",  # the command line gives paths
    "X has no sample ids. A table is joined",  # it asks for ids before
    "from skpar_select.tables import convert_csv",  # a recipe, put into words where it is said
)


def messages():
    """Yield what the modules say that a command meets: the texts of errors and warnings."""
    for room in ROOMS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            module = path.relative_to(PACKAGE).as_posix()
            if module in OF_OBJECTS:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    texts = [text_of(argument) for argument in node.args]
                    yield from ((module, text) for text in texts if len(text) > 40)


def text_of(node):
    """The text of a literal, with a word for what is filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else filled(part) for part in node.values
        )
    return ""


def filled(part):
    expression = ast.unparse(part.value)
    if part.conversion == ord("r"):
        return "'V'"
    return {"axis": "feature_names"}.get(expression, "7" if "n_" in expression else "V")


@pytest.mark.parametrize(("module", "text"), list(messages()))
def test_every_message__can_be_said_to_a_person_at_a_shell(module, text):
    said = in_words(text, WORDS)
    assert text.startswith(NEVER_SAID) or not PYTHON.search(said), said


def test_words__are_the_options_of_the_parser():
    assert WORDS["memory_budget"] == "--memory-budget"
    assert WORDS["k"] == "-k"
    assert WORDS["output"] == "--output"
    assert WORDS["column"] == "--target-column"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("n_jobs=0 leaves no worker.", "--n-jobs 0 leaves no worker."),
        (
            "It must be a number of workers, -1 for all cores, or None. Set n_jobs=1.",
            "It must be a number of workers, -1 for all cores. Set --n-jobs 1.",
        ),
        ("Name one, as in dataset='M'.", "Name one, as in --dataset M."),
        ("dataset=None means the only one", "no --dataset means the only one"),
        ("Set memory_budget to at least 7.3 MB", "Set --memory-budget to at least 7.3 MB"),
        ("Lower k, or set k='all'.", "Lower k, or set -k all."),
        ("k=99 is greater than n_features=7.", "-k 99 is greater than 7 features."),
        ("with feature_names=None.", "with --feature-names none."),
        ("or set store=None.", "or set no --store."),
        ("unless align='order'.", "unless --same-order."),
        ("Loosen one; it takes effect without a new fit.", "Loosen one."),
        ("Set missing='omit' in the selector to score it.", "Set --missing omit to score it."),
        ("unmatched='drop' of skpar_select.align leaves", "--unmatched drop leaves"),
        ("3 samples not in samples", "3 samples not in --samples"),
        ("column=['age', 'age'] names", "--target-column age age names"),
        (
            "its lines are given as feature_names=pathlib.Path('p.txt').",
            "its lines are given by --feature-names-file p.txt.",
        ),
        ("X contains NaN in 3 columns", "The matrix contains NaN in 3 columns"),
        ("set task='classification' if", "set --task classification if"),
        ("'k=5.h5' does not exist", "'k=5.h5' does not exist"),
        ("the matrix' own k='all' isn't", "the matrix' own -k all isn't"),
        ("where='sex=F' holds", "--where sex=F holds"),
        ("column 'my_age' is text", "column 'my_age' is text"),
        ("orientation='auto' without n_samples.", "--orientation auto without n_samples."),
    ],
)
def test_message__is_put_into_the_words_of_options(message, expected):
    assert in_words(message, WORDS) == expected


def test_printable__shows_what_a_terminal_would_obey():
    assert (
        printable("cg\x1b]0;owned\x07\x9b2J\u202e\ud800") == r"cg\x1b]0;owned\x07\x9b2J\u202e\ud800"
    )
    assert printable("β-Aktin, 基因 é") == "β-Aktin, 基因 é"
