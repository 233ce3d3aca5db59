"""How error messages show values, counts and lists."""

import numpy as np
import pytest

from skpar_select._wording import choices, counted, did_you_mean, listing, quote, sentence


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a'b", '"a\'b"'),
        (np.str_("a"), "'a'"),
        (3, "3"),
        (None, "None"),
        ("x" * 58, f"'{'x' * 58}'"),
        ("x" * 59, f"'{'x' * 56}..."),
    ],
)
def test_quote__shows_a_value_as_python_writes_it_and_cuts_it(value, shown):
    assert quote(value) == shown
    assert len(quote(value)) <= 60


@pytest.mark.parametrize(
    ("items", "options", "shown"),
    [
        ([], {}, ""),
        (["a"], {}, "'a'"),
        (["a", "b", "c"], {}, "'a', 'b', 'c'"),
        (["a", "b", "c", "d"], {}, "'a', 'b', 'c' and 1 more"),
        (["a", "b", "c"], {"most": 1}, "'a' and 2 more"),
        (["a", "b"], {"quoted": False}, "a, b"),
        (np.array(["a", "b"]), {}, "'a', 'b'"),
    ],
)
def test_listing__shows_the_first_few_and_counts_the_rest(items, options, shown):
    assert listing(items, **options) == shown


@pytest.mark.parametrize(("number", "text"), [(0, "0 samples"), (1, "1 sample"), (2, "2 samples")])
def test_counted__agrees_with_its_noun(number, text):
    assert counted(number, "sample") == text


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Age", "Did you mean 'age'?"),
        ("age ", "Did you mean 'age'?"),
        ("agee", "Did you mean 'age'?"),
        ("BMI", "Did you mean 'bmi' or 'Bmi'?"),
        ("height", ""),
        ("", ""),
    ],
)
def test_did_you_mean__case_blanks_or_a_few_letters(name, near):
    assert did_you_mean(name, ["id", "age", "bmi", "Bmi", "title"]) == near


def test_choices__lists_all_up_to_twenty_and_suggests():
    many = [f"c{number}" for number in range(20)]
    assert choices("x", many) == f"({', '.join(map(repr, many))}). Name one of them."
    assert choices("x", [*many, "y"]) == "('c0', 'c1', 'c2' and 18 more). Name one of them."
    assert choices("Y", [*many, "y"]).endswith("Did you mean 'y'?")
    assert choices("BMI", ["bmi", "Bmi"]).endswith("Did you mean 'bmi' or 'Bmi'?")


def test_sentence__begins_with_a_capital():
    assert [sentence(text) for text in ("the table", "'a.csv'", "")] == ["The table", "'a.csv'", ""]
