"""Parts: what is written is read back, and nothing else is taken for a part."""

import hashlib
import json
import os
import struct

import numpy as np
import pytest

from skpar_select.planning import Shard
from skpar_select.scoring import TargetFacts
from skpar_select.tables import Manifest, Part, write_part

NAMES = ["a", "", "c\n", "Ωμ"]
SCATTERED = np.array([1, 4, 5, 9])


def manifest_of(columns=range(4), results=("score",), names=NAMES, **changes):
    several = changes.pop("several", False)
    shape = (len(columns), 2) if several else (len(columns),)
    said = {
        "shard": Shard(1, 2),
        "fingerprint": {"version": "1", "matrix": "digest 00"},
        "n_features": 10,
        "columns": columns if isinstance(columns, range) else None,
        "n_columns": len(columns),
        "results": dict.fromkeys(results, shape),
        "name_bytes": None if names is None else len("".join(names).encode()),
        "targets": TargetFacts(
            several, ["y", "z"] if several else ["y"], 60, [0, 1][: 1 + several]
        ),
        "parameters": {"task": "regression", "n_neighbors": np.int64(3), "marginals": "rank"},
        "source": "'ages.csv'",
        "modified": [1, 2],
    }
    return Manifest(**said | changes)


@pytest.fixture
def write(tmp_path):
    def write(columns=range(4), *, name="part", names=NAMES, **changes):
        manifest = manifest_of(columns, names=names, **changes)
        rng = np.random.default_rng(0)
        results = {of: rng.random(shape) for of, shape in manifest.results.items()}
        if results:
            results["score"].flat[0] = np.nan
        encoded = [] if names is None else [one.encode() for one in names]
        write_part(tmp_path / name, manifest, columns, results, encoded)
        return tmp_path / name, results

    return write


@pytest.mark.parametrize("columns", [range(4), range(6, 10), SCATTERED])
@pytest.mark.parametrize("names", [NAMES, None])
@pytest.mark.parametrize("several", [False, True])
def test_part__is_read_as_it_was_written(write, columns, names, several):
    path, results = write(
        columns, names=names, several=several, results=("score", "n_observed", "rho")
    )
    part = Part.open(path)
    assert part.manifest == manifest_of(
        columns, names=names, several=several, results=("score", "n_observed", "rho")
    )
    read_columns, read_results, read_names = part.read()
    assert np.array_equal(read_columns, columns)
    assert {name: values.tobytes() for name, values in read_results.items()} == {
        name: values.tobytes() for name, values in results.items()
    }
    assert (read_names is None) if names is None else (read_names.tolist() == names)


@pytest.mark.parametrize("several", [False, True])
def test_part__holds_logarithms_of_pvalues_for_each_target(tmp_path, several):
    manifest = manifest_of(results=("score", "log_pvalue", "noise_floor"), several=several)
    shape = manifest.results["score"]
    logs = -np.arange(float(np.prod(shape))).reshape(shape) * 1000
    logs.flat[1] = np.nan
    results = {"score": np.zeros(shape), "log_pvalue": logs, "noise_floor": np.ones(shape)}
    write_part(tmp_path / "p", manifest, range(4), results, [one.encode() for one in NAMES])
    assert Part.open(tmp_path / "p").read()[1]["log_pvalue"].tobytes() == logs.tobytes()


@pytest.mark.parametrize("bad", [0.1, 2.0, -np.inf, np.inf])
def test_part__with_logarithms_of_no_pvalues_is_refused(tmp_path, bad):
    manifest = manifest_of(results=("score", "log_pvalue"))
    results = {"score": np.zeros(4), "log_pvalue": np.array([-1, np.nan, bad, 0])}
    write_part(tmp_path / "p", manifest, range(4), results, [one.encode() for one in NAMES])
    with pytest.raises(OSError, match=r"a damaged part .logarithms of p-values that are none"):
        Part.open(tmp_path / "p").read()


def test_part__may_be_empty(write):
    path, _ = write(range(0), names=[], results=())
    columns, results, names = Part.open(path).read()
    assert (list(columns), results, list(names)) == ([], {}, [])


def test_part__that_is_damaged_at_any_byte_is_refused(write):
    path, _ = write(SCATTERED)
    content = path.read_bytes()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 + place % 255
        path.write_bytes(damaged)
        with pytest.raises(OSError, match=r"is a damaged part|is no part"):
            Part.open(path)


def test_part__that_is_cut_anywhere_or_longer_is_refused(write):
    path, _ = write()
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(OSError, match=r"is a damaged part|is no part"):
            Part.open(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(OSError, match="bytes are not those"):
        Part.open(path)


HUGE = 2**61
LIES = [
    {"n_columns": HUGE, "columns": [0, HUGE, 1], "n_features": HUGE},
    {"n_columns": -1},
    {"n_columns": "4"},
    {"n_columns": True},
    {"columns": [0, 8, 2]},
    {"columns": [0, 4, 0]},
    {"columns": [8, 12, 1]},
    {"results": {"score": [4, HUGE]}},
    {"results": {"score": [4, 4, 4]}},
    {"results": {"score": []}},
    {"results": []},
    {"name_bytes": HUGE},
    {"shard": [3, 2]},
    {"shard": [1]},
    {"fingerprint": None},
    {"targets": None},
    {"modified": 3},
    {"parameters": 3},
    {"n_features": 1e9},
]


def forge(path, text, rest=b""):
    """A file that claims what it likes, and whose checksum is right."""
    content = b"\x89SKPART\x01" + struct.pack("<Q", len(text)) + text + rest
    path.write_bytes(content + hashlib.blake2b(content, digest_size=32).digest())


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_part__that_lies_with_a_right_checksum_is_refused(write, lie):
    path, _ = write()
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[8:16])
    said = json.loads(content[16 : 16 + length]) | lie
    forge(path, json.dumps(said).encode(), content[16 + length : -32])
    with pytest.raises(OSError, match="is a damaged part"):
        Part.open(path)


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000, b"9" * 5000])
def test_part__whose_manifest_is_none_is_refused(tmp_path, text):
    forge(tmp_path / "part", text)
    with pytest.raises(OSError, match="is a damaged part"):
        Part.open(tmp_path / "part")


def test_part__with_columns_out_of_order_is_refused(write):
    path, _ = write(SCATTERED[::-1])
    part = Part.open(path)
    with pytest.raises(OSError, match="columns that are none"):
        part.read()


def test_part__that_changes_between_check_and_use_is_refused(write):
    path, _ = write()
    part = Part.open(path)
    write(names=["A", "", "c\n", "Ωμ"])
    with pytest.raises(OSError, match="has changed meanwhile"):
        part.read()


def test_pipe_and_folder__are_no_parts(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(OSError, match="is no regular file"):
            Part.open(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="Check its name"):
        Part.open(tmp_path / "none")
