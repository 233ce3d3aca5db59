import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select._blocks import bytes_per_column, plan_blocks
from skpar_select._memory import available_memory, format_bytes, parse_memory


def plan(n_features, **changes):
    options = {
        "bytes_per_column": 100,
        "bytes_per_worker": 0,
        "chunk_columns": 1,
        "n_workers": 2,
        "memory_budget": 10**9,
    }
    return plan_blocks(n_features=n_features, **options | changes)


@given(
    n_features=st.integers(0, 3000),
    bytes_per_column=st.integers(0, 1000),
    bytes_per_worker=st.integers(0, 10_000),
    chunk_columns=st.integers(1, 500),
    n_workers=st.integers(1, 5000),
    memory_budget=st.integers(1, 10**7),
)
def test_plan_blocks__covers_every_column_once_within_the_budget(**options):
    n_workers = min(options["n_workers"], options["n_features"])
    smallest = n_workers * (options["bytes_per_worker"] + options["bytes_per_column"])
    if options["memory_budget"] < smallest:
        with pytest.raises(ValueError, match=f"needs {smallest} bytes"):
            plan_blocks(**options)
        return
    blocks = plan_blocks(**options)
    covered = [column for block in blocks for column in range(block.start, block.stop)]
    assert covered == list(range(options["n_features"]))
    widths = [block.stop - block.start for block in blocks] or [0]
    at_once = n_workers * (options["bytes_per_worker"] + options["bytes_per_column"] * max(widths))
    assert at_once <= options["memory_budget"]


@given(st.integers(1, 3000), st.integers(1, 64), st.integers(1, 200))
def test_plan_blocks__leaves_no_worker_without_a_block(n_features, n_workers, chunk_columns):
    blocks = plan(n_features, n_workers=n_workers, chunk_columns=chunk_columns)
    # Blocks of equal width: as many as there are, none is wider than an even share rounded up.
    assert max(block.stop - block.start for block in blocks) <= -(
        -n_features // min(n_workers, n_features)
    )


@pytest.mark.parametrize("n_features", [1000, 1024, 100_003])
def test_plan_blocks__begins_at_chunks_where_they_fit(n_features):
    blocks = plan(n_features, chunk_columns=100)
    assert all(block.start % 100 == 0 for block in blocks)


def test_plan_blocks__cuts_a_chunk_that_the_budget_does_not_hold():
    blocks = plan(1000, chunk_columns=500, memory_budget=2 * 100 * 30)
    assert {block.stop - block.start for block in blocks} == {30, 10}


def test_plan_blocks__reads_whole_rows_of_chunks_as_few_times_as_workers():
    assert plan(1000, chunk_columns=1000, n_workers=4) == [
        slice(start, start + 250) for start in range(0, 1000, 250)
    ]


def test_plan_blocks__gives_one_column_each_to_more_workers_than_columns():
    assert plan(3, n_workers=64) == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_plan_blocks__gives_every_worker_many_blocks():
    assert len(plan(10_000, n_workers=4)) >= 4 * 16


def test_plan_blocks__names_needed_allowed_and_smallest_budget():
    with pytest.raises(
        ValueError,
        match=r"memory_budget=1000 bytes is too small.*2 workers needs 5200 bytes, "
        r"allowed are 1000\. Set memory_budget to at least 5\.2 kB, or lower n_jobs",
    ):
        plan(10, bytes_per_worker=2500, memory_budget=1000)


@given(st.integers(2, 10**6), st.integers(0, 10**5), st.integers(1, 64))
def test_plan_blocks__accepts_the_budget_that_its_error_names(column, worker, n_workers):
    options = {"bytes_per_column": column, "bytes_per_worker": worker, "n_workers": n_workers}
    with pytest.raises(ValueError, match="at least") as error:
        plan(100, memory_budget=1, **options)
    text = str(error.value).split("at least ")[1].split(",")[0]
    assert plan(100, memory_budget=parse_memory(text), **options)


@pytest.mark.parametrize(
    ("in_memory", "views", "score_func", "expected"),
    [
        (True, True, False, 0),
        (True, False, False, 40),
        (False, False, False, 40),
        (False, False, True, 40 + 320),
        (True, True, True, 3 * 40 + 320),
    ],
)
def test_bytes_per_column__counts_reading_travel_and_scoring(
    in_memory, views, score_func, expected
):
    got = bytes_per_column(
        n_samples=10, itemsize=4, in_memory=in_memory, blocks_are_views=views, score_func=score_func
    )
    assert got == expected


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
def test_format_bytes__never_says_less_than_there_is(n_bytes):
    if n_bytes:
        assert n_bytes <= parse_memory(format_bytes(n_bytes)) <= 1.11 * n_bytes + 1
