import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skpar_select._available_memory import available_memory
from skpar_select._memory import format_bytes, parse_memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2GB", 2 * 10**9),
        ("2GiB", 2 * 2**30),
        (" 1.5 mb ", 1_500_000),
        ("300 MB", 3 * 10**8),
        ("64k", 64_000),
        ("12", 12),
        ("7B", 7),
        (5, 5),
        (np.int64(5), 5),
    ],
)
def test_parse_memory__reads_decimal_and_binary_units(text, expected):
    assert parse_memory(text) == expected


@pytest.mark.parametrize("wrong", ["", "much", "-1GB", "2 XB", "GB", 0, -5, "0.1B", "nan", True])
def test_parse_memory__refuses_what_is_no_amount(wrong):
    with pytest.raises(ValueError, match=r"memory_budget=.*at least one byte.*'2GB'"):
        parse_memory(wrong)


def test_parse_memory__auto_is_a_quarter_of_what_is_available():
    assert parse_memory("auto") == pytest.approx(available_memory() / 4, rel=0.2)


@given(st.integers(0, 10**16))
@example(65_100)
def test_format_bytes__never_says_less_than_there_is(n_bytes):
    if n_bytes:
        assert n_bytes <= parse_memory(format_bytes(n_bytes)) <= 1.11 * n_bytes + 1
