"""Values of options: what people type, and what is refused before anything is opened."""

from argparse import ArgumentTypeError

import pytest

from skpar_select.cli import _values as values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5000", 5000),
        ("1e2", 100),
        ("1E+3", 1000),
        ("20.0", 20),
        ("0", 0),
        ("0.01", 0.01),
        ("5%", 0.05),
        ("5 %", 0.05),
        ("0.5%", 0.005),
        ("100%", "all"),
        ("1.0", "all"),
        ("1", 1),
        ("all", "all"),
        ("ALL", "all"),
        ("Auto", "auto"),
    ],
)
def test_number_of_features__is_read_as_people_write_it(text, expected):
    read = values.number_of_features(text)
    assert read == pytest.approx(expected) if isinstance(expected, float) else read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize("text", ["few", "", "-1", "1.5", "101%", "-5%", "nan", "inf", "1e-400x"])
def test_number_of_features__refuses_others(text):
    with pytest.raises(ArgumentTypeError, match=r"It must be|percentage"):
        values.number_of_features(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", 20), ("0.3", 0.3), ("50%", 0.5), ("100%", 1.0), ("1.0", 1.0), ("1", 1)],
)
def test_least_observed__is_a_number_or_a_share(text, expected):
    read = values.number_or_share_of_samples(text)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize("text", ["0", "0%", "-3", "1.5", "half"])
def test_least_observed__refuses_others(text):
    with pytest.raises(ArgumentTypeError):
        values.number_or_share_of_samples(text)


@pytest.mark.parametrize("text", ["auto", "2GB", "2 gib", "1000", "1.5kB"])
def test_amount_of_memory__is_read(text):
    assert values.amount_of_memory(text) == text


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("-k", "few", "'few' is no number of features. It must be"),
        ("-k", "1.5", "'1.5' is no number of features."),
        ("--percentile", "101", "'101' is no percentage. It must be from 0 to 100."),
        ("--threshold", "high", "'high' is no number."),
        ("--threshold", "nan", "'nan' is no number."),
        ("--n-neighbors", "0", "'0' is refused. It must be a whole number, at least 1."),
        ("--n-neighbors", "2.5", "'2.5' is refused."),
        ("--random-state", "-1", "from 0 to 4294967295"),
        ("--n-jobs", "0", "'0' leaves no worker."),
        ("--n-jobs", "all", "'all' is no number of workers."),
        ("--memory-budget", "lots", "'lots' is no amount of memory."),
        ("--min-observed", "0", "'0' asks for no sample."),
        ("--task", "guess", "guess"),
        ("--missing", "drop", "drop"),
    ],
)
def test_option__refuses_what_it_cannot_be(call, option, value, expected):
    error = call("score", "x.h5", option, value).error
    assert expected in error
    assert option in error
