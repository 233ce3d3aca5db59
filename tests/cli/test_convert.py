"""``convert``: a matrix of text becomes one that can be scored."""

import numpy as np
import pytest
from shell import IDS, NAMES, selected

from skpar_select import open_matrix


@pytest.fixture
def text(folder, values):
    """A matrix of text in two orientations."""
    for name, ids, names, matrix in (
        ("wide.csv", IDS, NAMES, values),
        ("long.tsv", NAMES, IDS, values.T),
    ):
        separator = "\t" if name.endswith("tsv") else ","
        lines = [separator.join(["id", *names])]
        lines += [
            separator.join([one, *map(repr, row)])
            for one, row in zip(ids, matrix.tolist(), strict=True)
        ]
        (folder / name).write_text("\n".join(lines) + "\n")
    return values


@pytest.mark.parametrize(
    ("source", "options"),
    [("wide.csv", []), ("long.tsv", ["--orientation", "features_by_samples"])],
)
def test_convert__writes_a_matrix_that_is_scored(call, score, text, source, options):
    done = call("convert", source, "text.h5", *options, "--dtype", "float32")
    assert done.code == 0
    assert done.out == "60 samples x 7 features written to text.h5\n"
    X = open_matrix("text.h5")
    np.testing.assert_array_equal(np.asarray(X), text)
    assert score("-k", 1, matrix="text.h5").code == 0
    assert selected() == ["site4"]


def test_convert__replaces_a_file_on_request_only(call, text):
    assert call("convert", "wide.csv", "text.h5").code == 0
    assert "'text.h5' exists." in call("convert", "wide.csv", "text.h5").error
    assert call("convert", "wide.csv", "text.h5", "--overwrite").code == 0


def test_convert__never_replaces_its_input(call, text):
    assert call("convert", "wide.csv", "wide.csv", "--overwrite").error


def test_convert__refuses_text_among_the_numbers(call, folder):
    (folder / "bad.csv").write_text("id,a\ns1,high\n")
    assert "high" in call("convert", "bad.csv", "bad.h5").error
    assert not (folder / "bad.h5").exists()


def test_text__is_refused_with_the_command_that_converts_it(call, text):
    error = call("inspect", "wide.csv").error
    assert "Convert it once: skpar-select convert " in error
    assert error.split(". See")[0].rstrip(".\n").endswith("wide.csv wide.h5")


def test_other_files__are_refused_with_the_page_that_says_how(call, folder):
    np.savez("x.npz", a=np.eye(3))
    error = call("inspect", "x.npz").error
    assert "docs/containers.md has a line for each kind." in error
