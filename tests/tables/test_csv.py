"""Tables of text: separators, comments, decimal signs, and files that are something else."""

import bz2
import csv
import gzip
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skpar_select.tables import Table, read_targets
from skpar_select.tables._csv import SEPARATORS, check_names, parse, parse_file, separator_of


def parsed(text):
    lines = io.StringIO(text, newline="")
    return {name: column.column() for name, column in parse(lines, "'t'").items()}


def cells(text):
    return {name: column.text().tolist() for name, column in parsed(text).items()}


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("id,age", ","),
        ("id;age", ";"),
        ("id\tage", "\t"),
        ("id|age", "|"),
        ("age", ","),
        ('id;"age, in years, at birth";sex', ";"),
        ("id;age, years", ";"),  # of equally many the semicolon
        ("id\tweight, kg\theight, cm", "\t"),
        ("id,age,sex|gender", ","),
        ("", ","),
    ],
)
def test_separator_of__is_the_most_frequent_outside_quotes(header, separator):
    assert separator_of(header) == separator


CELL = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="#"), min_size=1, max_size=5
)


@given(
    names=st.lists(CELL, min_size=2, max_size=5, unique=True),
    separator=st.sampled_from(SEPARATORS),
    data=st.data(),
)
def test_parse__reads_what_a_writer_has_quoted(names, separator, data):
    rows = data.draw(
        st.lists(st.lists(CELL, min_size=len(names), max_size=len(names)), min_size=1, max_size=4)
    )
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    expected = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    assert cells(stream.getvalue()) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_parse__reads_every_end_of_line(end):
    assert cells(end.join(["id,age", "a,1", "", "b,2", ""])) == {
        "id": ["a", "b"],
        "age": ["1", "2"],
    }


def test_parse__passes_over_comments_before_the_header_only():
    text = "# exported, 2020; by X\n\n#\nid,age\n#1,2\n"
    assert cells(text) == {"id": ["#1"], "age": ["2"]}


@pytest.mark.parametrize("line", ["sep=;\n", '"sep=;"\r\n'])
def test_parse__takes_the_separator_that_excel_names(line):
    assert cells(line + "a,b,c;age\n1,2;3\n") == {"a,b,c": ["1,2"], "age": ["3"]}


def test_parse__keeps_line_breaks_and_quotes_within_cells():
    assert cells('id,note\na,"one\ntwo ""x"""\n') == {"id": ["a"], "note": ['one\ntwo "x"']}


def test_parse__drops_rows_without_a_cell_at_the_end_alone():
    assert cells("id;age\n;\na;1\n;\n;\n") == {"id": ["", "a"], "age": ["", "1"]}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("id;age\na;61,5\nb;7\nc;1,5e2\n", [61.5, 7, 150]),
        ("id;age\na;61.5\nb;7\n", [61.5, 7]),
        ("id;age\na;-0,25\nb;,5\n", [-0.25, 0.5]),
    ],
)
def test_parse__takes_decimal_commas_where_semicolons_separate(text, numbers):
    assert parsed(text)["age"].numbers().tolist() == numbers


@pytest.mark.parametrize("cell", ["1.234,5", "1.234", "1,2,3"])
def test_parse__refuses_a_point_where_commas_are_decimal(cell):
    # 1.234 is a thousand there, and a little more than one elsewhere.
    table = io.StringIO(f"id;age;weight\na;{cell};1,5\n")
    with pytest.raises(
        ValueError, match=rf"1 value that regression cannot use \('{cell}' in row 1"
    ):
        read_targets(table, "age")


def test_parse__takes_no_decimal_comma_elsewhere():
    with pytest.raises(ValueError, match=r"'61,5' in row 1\).*, with a point unless semicolons"):
        read_targets(io.StringIO("id\tage\na\t61,5\n"), "age")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"'t' holds no rows\. A table needs a header .*\. Check"),
        ("# a comment\n", r"'t' holds no rows\."),
        ("id,age\n,\n", r"'t' holds no rows\."),
        ("age;sex\na;1;2\nb;3;4\n", r"2 rows with other than 2 cells \(row 1, 2\), .* R writes"),
        (
            "#iid\tage\nb\t3\nc\t4\n",
            r"header \('b', '3'\) below the comment '#iid\\tage'\. .*remove its '#'",
        ),
        ('id,age\na,1\nb,"2\nc,3\n', r"'t' opens a quote that it never closes, in row 2\."),
        ('id,"age\na,1\n', r"'t' opens a quote that it never closes, in row 0\."),
        ("id,age\na,1\n,\nb\n;\n\n", r"2 rows with other than 2 cells \(row 3, 4\)"),
    ],
)
def test_parse__says_what_is_wrong(text, message):
    with pytest.raises(ValueError, match=message):
        parsed(text)


def test_parse__holds_a_column_that_is_not_asked_for_as_in_the_file():
    n_rows, row = 20_000, ",".join(["12.345678"] * 20)
    text = f"{','.join(f'c{at}' for at in range(20))}\n" + f"{row}\n" * n_rows
    lines = io.StringIO(text, newline="")
    tracemalloc.start()
    table = parse(lines, "'t'")
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert table["c7"].column().numbers().tolist() == [12.345678] * n_rows
    assert held < 1.3 * len(text)
    assert peak < held + 10_000_000


def test_parse__of_long_cells_and_short_ones():
    long = "x" * 1000
    assert cells(f"id,note\na,{long}\nb,é\n") == {"id": ["a", "b"], "note": [long, "é"]}


def test_check_names__refuses_names_that_repeat():
    with pytest.raises(ValueError, match=r"^The table repeats 1 column \('a'\)\. .*Rename"):
        check_names(["a", "b", "a"], "the table")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"PK\x03\x04rest",
            r"is a zip archive, as Excel's workbooks are\. .*Save the sheet as CSV",
        ),
        ("id,age".encode("utf-16"), r"is text in UTF-16\. .*Save it as UTF-8"),
        (bz2.compress(b"id,age"), r"is compressed by bzip2\. .*Unpack it first"),
        (gzip.compress(b"id,age\na,1\n")[:-9], r"cannot be read \(.*\)\. .*packed by gzip or not"),
        (b"\x1f\x8bno", r"cannot be read \(.*\)\."),
        ("id,\xe5lder\na,1\n".encode("latin-1"), r"cannot be read \('utf-8' codec .*\)\. .*UTF-8"),
    ],
)
def test_table__says_what_a_file_is_instead(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        Table(tmp_path / "t.csv")


def test_table__reads_what_european_excel_writes(tmp_path):
    # F9
    (tmp_path / "t.csv").write_bytes(
        '\ufeff# page 1\r\nid;"Größe, cm";age\r\ngsm1;181,5;61\r\n;;\r\n'.encode()
    )
    assert read_targets(tmp_path / "t.csv", "Größe, cm").tolist() == [181.5]


def test_parse_file__of_what_the_system_cannot_read_names_it(tmp_path):
    with pytest.raises(
        OSError, match=rf"'{tmp_path}' cannot be read \(Is a directory\)\. A table is"
    ):
        parse_file(str(tmp_path))
