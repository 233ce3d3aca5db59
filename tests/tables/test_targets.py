"""Reading targets: matched by id, and every fault named with its value, rule and remedy."""

import gzip
import os

import numpy as np
import pytest

import skpar_select
from skpar_select import targets
from skpar_select._alignment import MissingIdsError
from skpar_select.tables import read_targets


@pytest.fixture
def csv_file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "map.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_read_targets__matches_by_id_whatever_the_order(csv_file):
    file = csv_file("sample_id,age\nc,3\na,1\nb,2\n")
    y = read_targets(file, "age", sample_ids=np.array(["a", "b", "c"]))
    assert y.dtype == np.float64
    assert y.tolist() == [1.0, 2.0, 3.0]


def test_read_targets__without_ids_keeps_the_order_of_the_file(csv_file):
    assert read_targets(csv_file("age\n3\n1\n"), "age").tolist() == [3.0, 1.0]


def test_read_targets__takes_the_first_column_in_which_an_id_occurs(csv_file):
    file = csv_file("row,age,sample\n1,10,b\n2,20,a\n")
    assert read_targets(file, "age", sample_ids=["a", "b"]).tolist() == [20.0, 10.0]


def test_read_targets__takes_the_named_id_column(csv_file):
    file = csv_file("old,new,age\na,b,1\nb,a,2\n")
    assert read_targets(file, "age", sample_ids=["a", "b"], id_column="new").tolist() == [2.0, 1.0]


def test_read_targets__reads_what_spreadsheets_write(csv_file):
    file = csv_file('sample_id\tage\r\n"a" \t 1.5e1\r\n\r\n', encoding="utf-8-sig")
    assert read_targets(file, "age", sample_ids=["a"]).tolist() == [15.0]


def test_read_targets__keeps_classes_as_text(csv_file):
    file = csv_file("id,kind\na,01\nb,1\n")
    y = read_targets(file, "kind", sample_ids=["b", "a"], task="classification")
    assert y.tolist() == ["1", "01"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"map\.csv' holds no rows\. .* header and one row .*\. Check the path\."),
        ("id,age\n", r"map\.csv' holds no rows\."),
        (
            "id,years\na,1\n",
            r"map\.csv' has no column 'age'\. .* must be .* \('id', 'years'\)\. Name one",
        ),
        ("id,age,age\na,1,2\n", r"repeats 1 column \('age'\)\. .* must differ\. Rename or"),
        (
            "id,age\na,1,7\nb\n",
            r"holds 2 rows with other than 2 cells \(row 1, 2\), separated by ','\. Every row .*\. Repair the file",
        ),
        (
            "id,age\na,1\na,2\nb,3\n",
            r"map\.csv' repeats 1 sample id with different targets "
            r"\('a': '1' in row 1, '2' in row 2\)\. .* one target\. Remove",
        ),
        (
            "id,age\na,1\nb,old\n",
            r"'age' of .* holds 1 value .*'old' in row 2\)\. .* finite number .*\. Leave .* where='age!=old'",
        ),
        (
            "id,age\na,inf\nb,\n",
            r"holds 1 value .*\('inf' in row 1\), and 1 missing value\. Regression",
        ),
        ("id,age\na,1_0\nb,2\n", r"holds 1 value .*'1_0' in row 1"),
        (
            "id,age\na,1\n",
            r"map\.csv' lacks 1 sample \('b'\) of the matrix\. Both must .*\. unmatched='drop' of skpar_select.align",
        ),
        (
            "id,age\na,1\nb,2\nc,3\n",
            r"map\.csv' holds 1 sample \('c'\) that the matrix lacks\. Both must",
        ),
        (
            "id,age\na,1\nq,2\n",
            r"lacks 1 sample \('b'\) of the matrix and holds 1 sample \('q'\) that the matrix lacks",
        ),
        (
            "id,age\nq,1\nr,2\n",
            r"No column of .*map\.csv' holds a sample id .*\('a', 'b'\)\. .* by id, .*\. Add",
        ),
    ],
)
def test_read_targets__names_what_is_wrong(csv_file, text, message):
    with pytest.raises(ValueError, match=message):
        read_targets(csv_file(text), "age", sample_ids=["a", "b"])


def test_read_targets__shows_ids_as_text_even_those_of_numpy(csv_file):
    with pytest.raises(ValueError, match=r"lacks 1 sample \('b'\) of the matrix"):
        read_targets(csv_file("id,age\na,1\n"), "age", sample_ids=np.array(["a", "b"]))


def test_read_targets__shows_no_more_than_the_beginning_of_a_long_cell(csv_file):
    with pytest.raises(ValueError, match=r"\('x{56}\.\.\. in row 1\)\."):
        read_targets(csv_file(f"age\n{'x' * 1000}\n"), "age")


def test_read_targets__refuses_a_missing_file(tmp_path):
    message = r"There is no file '.*gone\.csv'\. .* CSV file\. Check the path\."
    with pytest.raises(FileNotFoundError, match=message):
        read_targets(tmp_path / "gone.csv", "age")


def test_read_targets__refuses_what_is_no_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    message = r"is a folder, a pipe or a device\. .* regular file\. Write the table"
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match=message):
            read_targets(path, "age")


def test_read_targets__reads_what_gzip_has_packed(tmp_path):
    # G19: pandas, R and polars read it, whatever its name.
    for name in ("map.csv.gz", "map.csv"):
        (tmp_path / name).write_bytes(gzip.compress(b"id,age\na,1\n"))
        assert read_targets(tmp_path / name, "age").tolist() == [1.0]


def test_read_targets__refuses_an_unknown_task(csv_file):
    message = r"task='regresion' is unknown\. .* one of 'regression', 'classification'\. Name"
    with pytest.raises(ValueError, match=message):
        read_targets(csv_file("age\n1\n"), "age", task="regresion")


def test_read_targets__refuses_another_encoding(csv_file):
    message = (
        r"map\.csv' cannot be read \(.*utf-8.*\)\. .* a text file in UTF-8, .*\. Save it as one\."
    )
    with pytest.raises(ValueError, match=message):
        read_targets(csv_file("id,age\nå,1\n", encoding="latin-1"), "age")


def test_read_targets__refuses_an_id_column_without_ids(csv_file):
    message = r"id_column='id' was given without sample_ids\. .* by the ids .*\. Name the dataset"
    with pytest.raises(MissingIdsError, match=message):
        read_targets(csv_file("id,age\na,1\n"), "age", id_column="id")


def test_read_targets__refuses_an_unknown_id_column(csv_file):
    message = r"map\.csv' has no column 'sample'\. The sample ids must .* \('id', 'age'\)\. Name"
    with pytest.raises(ValueError, match=message):
        read_targets(csv_file("id,age\na,1\n"), "age", sample_ids=["a"], id_column="sample")


def test_read_targets__refuses_an_empty_class(csv_file):
    message = (
        r"missing in .*map\.csv': column 'kind' in 1 row \('' in row 2\)\. .* needs a target\. "
        r"missing_targets='drop'"
    )
    with pytest.raises(ValueError, match=message):
        read_targets(csv_file("id,kind\na,x\nb,\n"), "kind", task="classification")


def test_read_targets__names_the_first_few_of_many(csv_file):
    file = csv_file("id,age\ns0,1\n")
    message = r"lacks 9 samples \('s1', 's2', 's3' and 6 more\) of the matrix\."
    with pytest.raises(ValueError, match=message):
        read_targets(file, "age", sample_ids=[f"s{index}" for index in range(10)])


def test_read_targets__refuses_repeated_ids_in_the_matrix(csv_file):
    with pytest.raises(ValueError, match=r"The matrix repeats 1 sample id \('a'\)\. .* once"):
        read_targets(csv_file("id,age\na,1\n"), "age", sample_ids=["a", "a"])


def test_read_targets__is_one_function_in_all_public_places():
    assert skpar_select.read_targets is targets.read_targets is read_targets
