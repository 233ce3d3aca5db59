"""What we publish runs: the examples, and every code block of the README and the docs."""

import csv
import re
import shlex
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import matplotlib.pyplot
import numpy as np
import pytest

from skpar_select import cli

matplotlib.use("Agg")  # the tests have no screen

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = [page for page in PAGES if page.name != "design.md"]  # its blocks are signatures
README = PAGES[0].read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def example():
    def load(name, folder="examples"):
        spec = spec_from_file_location(name, ROOT / folder / f"{name}.py")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load
    matplotlib.pyplot.close("all")


def test_blood_age__prints_the_best_sites_and_writes_scores_and_picture(example, tmp_path, capsys):
    blood_age = example("blood_age")
    blood_age.OUTPUT = tmp_path / "output"
    blood_age.main()
    printed = capsys.readouterr().out
    assert re.search(r"^ +1 +cg16867657 +1\.16\d$", printed, re.MULTILINE)
    with open(tmp_path / "output" / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 71
    assert rows[0]["site"] == "cg16867657"
    published = re.findall(r"^\| (\d+) \| (cg\d+) \| (\d\.\d+) \|$", README, re.MULTILINE)
    assert len(published) == 10
    for (rank, site, nats), row in zip(published, rows, strict=False):
        assert site == row["site"], rank
        assert float(nats) == pytest.approx(float(row["nats"]), abs=0.002)
    assert (tmp_path / "output" / "blood_age.png").read_bytes().startswith(b"\x89PNG")


def test_grid_search__needs_more_than_one_site(example, capsys):
    search = example("grid_search").main()
    assert search.best_params_["select__k"] != 1
    assert "mean absolute error (years)" in capsys.readouterr().out


def test_rank_tile__finds_the_neighbours_and_draws(example, tmp_path):
    picture = example("rank_tile", "docs/images")
    column, target = picture.points()
    tile, radius, candidates = picture.search(column, target)
    between = np.maximum(
        abs(column[tile, np.newaxis] - column), abs(target[tile, np.newaxis] - target)
    )
    assert (radius == np.sort(between, axis=1)[:, picture.NEIGHBORS]).all()
    assert len(tile) + len(candidates) < len(column) / 4
    picture.main(tmp_path / "tile.png")
    assert (tmp_path / "tile.png").read_bytes().startswith(b"\x89PNG")


def test_significance__makes_the_tables_of_its_page_and_draws(example, tmp_path):
    significance = example("significance", "docs/images")
    page = (ROOT / "docs" / "significance.md").read_text(encoding="utf-8")
    # These take no time. The others take a minute, and are tried on less.
    for part in (significance.floors, significance.least_correlations, significance.power):
        assert "\n".join(part()) in page
    for fact in significance.facts():
        assert fact in page
    significance.N_SHUFFLED = 2
    for lines in (
        significance.found_by_size(sizes=(50,), n_draws=1),
        significance.false_shares(n_samples=50, n_draws=2),
        significance.confounders(n_samples=450, n_columns=3),
        significance.permuted_ages(n_permutations=1),
    ):
        head, rule, *rows = lines
        assert head in page
        assert rows
        assert {row.count("|") for row in rows} == {rule.count("|")}
    significance.draw_qq(tmp_path / "qq.png", sizes=(50, 60, 70))
    significance.draw_floor(tmp_path / "floor.png", sizes=(50, 60))
    for name in ("qq.png", "floor.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore::skpar_select.DroppedSamplesWarning")  # pages drop samples
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_page__its_code_runs_and_prints_what_it_says(page, tmp_path, monkeypatch, capsys):
    """Run the blocks of a page in turn; a text block after a Python block is what that prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names = {"__name__": "page"}
    language = None
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "text" and language == "python":
            assert capsys.readouterr().out == text
        if text.startswith("feature,score,selected,"):
            written = (tmp_path / "scores.csv").read_text().splitlines()
            for shown, row in zip(
                csv.DictReader(text.splitlines()), csv.DictReader(written), strict=False
            ):
                assert shown | {"score": None} == row | {"score": None}
                assert float(shown["score"]) == pytest.approx(float(row["score"]), abs=1e-9)
        if kind == "python":
            capsys.readouterr()
            exec(compile(text, page.name, "exec"), names)
        if kind == "bash":
            for line in text.splitlines():
                command, *arguments = shlex.split(line)
                if command == "skpar-select":
                    assert cli.main(arguments) == 0
        language = kind
    matplotlib.pyplot.close("all")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page__its_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link
