"""How error messages show values, counts and lists."""

import numpy as np
import pytest

from skpar_select._wording import counted, listing, quote


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
