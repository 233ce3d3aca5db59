"""Messages of the library in the words of the command line."""

import pytest

from skpar_select.cli._console import in_words
from skpar_select.cli._parser import make_parser, words_of

WORDS = words_of(make_parser(), "select")


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
        ("or set score_cache=None.", "or set no --score-cache."),
        ("unless align='order'.", "unless --same-order."),
        ("Loosen one; it takes effect without a new fit.", "Loosen one."),
        ("Set missing='omit' in the selector to score it.", "Set --missing omit to score it."),
        ("unmatched='drop' of skpar_select.align leaves", "--unmatched drop leaves"),
        ("3 samples not in samples", "3 samples not in --samples"),
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
