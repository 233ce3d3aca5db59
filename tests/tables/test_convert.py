import gzip
import subprocess
import sys

import numpy as np
import pytest
from containers import values_of
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.tables import convert_csv

NAMES = [f"f{i}" for i in range(23)]
IDS = [f"s{i}" for i in range(19)]


@pytest.fixture
def values():
    return values_of(np.float64)


@pytest.fixture
def write(tmp_path):
    def write(text, name="x.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def lines_of(values, ids, names, separator=",", corner="id"):
    rows = [
        [corner, *names],
        *([name, *map(repr, row.tolist())] for name, row in zip(ids, values, strict=True)),
    ]
    return "\n".join(separator.join(row) for row in rows) + "\n"


def converted(path, **options):
    output = path.with_name("out.h5")
    convert_csv(path, output, overwrite=True, **options)
    return open_matrix(output)


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_convert__gives_values_names_and_ids(write, values, separator):
    X = converted(write(lines_of(values, IDS, NAMES, separator)))
    assert_array_equal(np.asarray(X), values)
    assert X.dtype == np.float64
    assert (list(X.feature_names), list(X.sample_ids)) == (NAMES, IDS)


def test_convert__of_features_by_samples_is_the_transpose(write, values):
    X = converted(write(lines_of(values.T, NAMES, IDS)), orientation="features_by_samples")
    assert_array_equal(np.asarray(X), values)
    assert (list(X.feature_names), list(X.sample_ids)) == (NAMES, IDS)
    assert X.layout.chunks[0] == 19


def test_convert__to_float32(write, values):
    X = converted(write(lines_of(values, IDS, NAMES)), dtype="float32")
    assert_array_equal(np.asarray(X), values.astype("f4"), strict=True)
    with pytest.raises(ValueError, match=r"column 'a' holds 1e\+39, which float32 cannot"):
        converted(write("a\n1e39\n"), dtype="float32")
    with pytest.raises(ValueError, match="dtype='int8' is unknown"):
        converted(write("a\n1\n"), dtype="int8")


def test_convert__reads_gzip_and_a_mark_of_byte_order(write, values):
    text = "\ufeff" + lines_of(values, IDS, NAMES).replace("\n", "\r\n")
    X = converted(write(gzip.compress(text.encode()), "x.csv.gz"))
    assert_array_equal(np.asarray(X), values)
    assert X.sample_ids[0] == "s0"


def test_convert__of_pandas_and_r(write, values):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(values, columns=NAMES)
    X = converted(write(frame.to_csv()))
    assert list(X.sample_ids) == [str(i) for i in range(19)]
    assert X.shape == (19, 23)
    # R writes no name above the row names, and quotes all text.
    X = converted(write('"a" "b"\n"r 1" 1 2\n"r 2" 3 4\n'), separator=" ")
    assert (list(X.feature_names), list(X.sample_ids)) == (["a", "b"], ["r 1", "r 2"])


def test_convert__of_ids_in_another_column_or_none(write):
    X = converted(write("a,id,b\n1,x,2\n3,y,4\n"))
    assert (list(X.feature_names), list(X.sample_ids)) == (["a", "b"], ["x", "y"])
    X = converted(write("a,b\n1,2\n3,4\n"))
    assert (X.shape, X.sample_ids) == ((2, 2), None)


def test_missing_cells__are_nan(write):
    X = converted(write("id,a,b,c\ns,,NA, nan \nt,1,null,3\n"))
    assert_array_equal(np.asarray(X), [[np.nan] * 3, [1, np.nan, 3]])


def test_comments_and_blank_lines__are_passed_over(write):
    X = converted(write("# made by\n\nid,a\n\ns,1\n\n"))
    assert_array_equal(np.asarray(X), [[1]])


def test_decimal_commas__where_semicolons_separate(write):
    X = converted(write("id;a;b\ns;1;2,5\nt;1,25;3\n"))
    assert_array_equal(np.asarray(X), [[1, 2.5], [1.25, 3]])
    with pytest.raises(ValueError, match=r"row 2, column 'a' holds '1\.234'"):
        converted(write("id;a\ns;2,5\nt;1.234\n"))
    with pytest.raises(ValueError, match=r"row 2, column 'a' holds '1,5'"):
        converted(write("id;a\ns;2.5\nt;1,5\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no line"),
        ("id,a\n", "holds no rows"),
        ("id,a\ns,1\nt,x1\n", r"row 2, column 'a' holds 'x1'"),
        ("id,a\ns,1\nt,1_0\n", r"row 2, column 'a' holds '1_0'"),
        ("id,sex,a,site\ns,f,1,x\n", r"3 columns that are no numbers \('id', 'sex', 'site'\)"),
        ("id,a,b\ns,1\n", "row 1 has 2 cells, the first line 3"),
        ("id,a\ns,1\nt,1,2\n", "row 2 has 3 cells, the first line 2"),
        ("id,a,a\ns,1,2\n", r"repeats 1 column \('a'\)"),
        ("id,a\ns,1\ns,2\n", "repeats 1 ids"),
        ('id,a\n"s,1\n', "cannot be read"),
        (b"id,a\n\xff,1\n", "cannot be read"),
        ("id\ns\n", "no column of numbers"),
    ],
)
def test_text__that_is_no_matrix_is_refused(write, text, words):
    path = write(text)
    with pytest.raises(ValueError, match=words):
        converted(path)
    assert [file.name for file in path.parent.iterdir()] == ["x.csv"]


def test_gzip__that_is_cut_short_is_refused(write, values):
    packed = gzip.compress(lines_of(values, IDS, NAMES).encode())
    with pytest.raises(ValueError, match="cannot be read"):
        converted(write(packed[:-200], "x.csv.gz"))


def test_output__is_not_replaced_unless_told(write):
    path = write("id,a\ns,1\n")
    output = path.with_name("out.h5")
    output.write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        convert_csv(path, output)
    with pytest.raises(ValueError, match=r"\.h5, \.hdf5"):
        convert_csv(path, path.with_name("x.parquet"))
    with pytest.raises(FileNotFoundError, match="does not exist"):
        convert_csv(path.with_name("no.csv"), path.with_name("y.h5"))
    with pytest.raises(ValueError, match="orientation='x' is unknown"):
        convert_csv(path, path.with_name("y.h5"), orientation="x")
    assert output.read_text() == "mine"


@pytest.mark.parametrize("orientation", ["samples_by_features", "features_by_samples"])
def test_memory__is_bounded_however_large_the_text_is(orientation, tmp_path):
    """A text of 60 MB, 20,000 columns wide or as many lines long, takes less than 60 MB."""
    row = ",".join(["0.123456"] * 20_000)
    with open(tmp_path / "x.csv", "w") as file:
        if orientation == "samples_by_features":
            file.write(",".join(["id", *(f"f{i}" for i in range(20_000))]) + "\n")
            file.writelines(f"s{i},{row}\n" for i in range(330))
        else:
            file.write(",".join(["id", *(f"s{i}" for i in range(330))]) + "\n")
            file.writelines(f"f{i},{row[: 9 * 330 - 1]}\n" for i in range(20_000))
    code = (
        "import resource, sys\\n"
        "from skpar_select.tables import convert_csv\\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\\n"
        "before = peak()\\n"
        "convert_csv(*sys.argv[1:3], orientation=sys.argv[3])\\n"
        "print(peak() - before)"
    ).replace("\\n", "\n")
    command = [sys.executable, "-c", code, tmp_path / "x.csv", tmp_path / "x.h5", orientation]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 60_000_000
    X = open_matrix(tmp_path / "x.h5")
    assert X.shape == (330, 20_000)
    assert (X.feature_names[-1], X.sample_ids[-1]) == ("f19999", "s329")
