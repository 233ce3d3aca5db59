"""Parts joined: only those of one run, all of them, each once."""

from dataclasses import replace

import numpy as np
import pytest

from skpar_select.planning import Shard
from skpar_select.scoring import TargetFacts
from skpar_select.tables import Manifest, join_parts, write_part

SCORES = np.random.default_rng(0).random(10)
PIECES = [range(4), range(4, 4), np.array([4, 6, 9]), np.array([5, 7, 8])]


@pytest.fixture
def parts(tmp_path):
    return [write(tmp_path / f"part{number}", number) for number in (1, 2, 3, 4)]


def write(path, number, columns=None, scores=SCORES, **changes):
    columns = PIECES[number - 1] if columns is None else columns
    names = [f"site{column}".encode() for column in columns]
    results = {"score": scores[np.asarray(columns, dtype=int)]} if len(columns) else {}
    manifest = Manifest(
        shard=Shard(number, 4),
        fingerprint={"version": "1", "matrix": "digest 00", "n_neighbors": "3"},
        n_features=10,
        columns=columns if isinstance(columns, range) else None,
        n_columns=len(columns),
        results={name: values.shape for name, values in results.items()},
        name_bytes=sum(map(len, names)),
        targets=TargetFacts(False, ["y"], 60, [0]),
        parameters={},
        source="y",
        modified=[1],
    )
    write_part(path, replace(manifest, **changes), columns, results, names)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_parts__in_any_order_make_the_whole(parts, seed):
    joined = join_parts(np.random.default_rng(seed).permutation(parts))
    assert joined.results["score"].tobytes() == SCORES.tobytes()
    assert joined.names.tolist() == [f"site{column}" for column in range(10)]


def test_part__that_is_missing_is_named(parts):
    with pytest.raises(ValueError, match=r"^1 part of 4 is missing\. .* score shard='3/4' first"):
        join_parts([parts[0], parts[1], parts[3]])
    with pytest.raises(
        ValueError, match=r"3 parts of 4 are .*='2/4', shard='3/4', shard='4/4' first"
    ):
        join_parts(parts[:1])
    many = write(parts[0], 1, shard=Shard(1, 2**60))
    with pytest.raises(ValueError, match=rf"='21/{2**60}' and {2**60 - 21} more first"):
        join_parts([many])
    with pytest.raises(ValueError, match="No part is named"):
        join_parts([])


def test_part__that_comes_twice_is_named(parts, tmp_path):
    again = write(tmp_path / "again", 3)
    with pytest.raises(ValueError, match=r"part3' and '.*again' are both shard 3/4"):
        join_parts([*parts, again])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"fingerprint": {"version": "1", "matrix": "digest 01", "n_neighbors": "3"}},
            "another matrix",
        ),
        (
            {"fingerprint": {"version": "2", "matrix": "digest 00", "n_neighbors": "4"}},
            "version=2, not 1, n_neighbors=4, not 3",
        ),
        ({"shard": Shard(3, 5)}, "number of shards=5, not 4"),
        ({"n_features": 11}, "number of features=11, not 10"),
        ({"targets": TargetFacts(False, ["z"], 60, [0])}, "another table of targets"),
        ({"name_bytes": None}, "another naming of features"),
    ],
    ids=str,
)
def test_part__of_another_run_is_named_with_what_differs(parts, changes, said):
    # It is named wherever it stands, as most are of the other run.
    write(parts[2], 3, **changes)
    for order in (parts, parts[::-1], parts[2:] + parts[:2]):
        with pytest.raises(
            ValueError, match=f"part3' is of another run than .*: {said}.* shard='3/4'"
        ):
            join_parts(order)


def test_columns__that_two_parts_hold_are_refused(parts):
    write(parts[3], 4, columns=np.array([4, 7, 8]))
    with pytest.raises(RuntimeError, match="not scored exactly once"):
        join_parts(parts)


def test_columns__that_no_part_holds_are_refused_before_memory_is_taken(parts):
    for number, path in enumerate(parts, start=1):
        write(path, number, n_features=2**50)
    with pytest.raises(ValueError, match=f"hold 10 columns, the matrix has {2**50}"):
        join_parts(parts)


def test_results__of_other_kinds_are_refused(parts):
    write_part(
        parts[3],
        replace(
            join_parts(parts).manifest,
            shard=Shard(4, 4), columns=None, n_columns=3, results={"other": (3,)}, name_bytes=15,
        ),
        PIECES[3],
        {"other": np.zeros(3)},
        [b"site5", b"site7", b"site8"],
    )  # fmt: skip
    with pytest.raises(OSError, match="part4' holds results of other kinds"):
        join_parts(parts)


def test_files__that_were_modified_between_shards_are_a_warning(parts):
    write(parts[3], 4, modified=[2])
    with pytest.warns(UserWarning, match="were modified at different times"):
        joined = join_parts(parts)
    assert joined.results["score"].tobytes() == SCORES.tobytes()


def test_memory__that_is_too_small_is_an_error_before_results_are_read(parts):
    with pytest.raises(
        ValueError, match=r"^Joining 4 parts takes 1\.\d kB, and 1 kB of memory are"
    ):
        join_parts(parts, free=lambda: 1000)
