"""The picture: what is drawn, in which order, and under which name."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skpar_select import MutualInfoDisplay, ParallelMutualInfoSelector

matplotlib.use("Agg")  # the tests have no screen


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    matplotlib.pyplot.close("all")


def drawn(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_from_scores__draws_the_best_first_and_on_top():
    display = MutualInfoDisplay.from_scores([0.1, 0.7, 0.4], feature_names=["a", "b", "c"])
    assert drawn(display) == ["b", "c", "a"]
    assert [bar.get_width() for bar in display.bars_] == [0.7, 0.4, 0.1]
    bottom, top = display.ax_.get_ylim()
    assert bottom > top  # row 0 is the uppermost
    assert display.figure_ is display.ax_.figure


def test_from_scores__writes_the_values_and_the_unit():
    display = MutualInfoDisplay.from_scores([0.12345])
    assert [text.get_text() for text in display.ax_.texts] == ["0.123"]
    assert display.ax_.get_xlabel() == "Mutual information with target (nats)"


def test_from_scores__names_features_as_scikit_learn_does():
    assert drawn(MutualInfoDisplay.from_scores([0.1, 0.2])) == ["x1", "x0"]


def test_from_scores__keeps_equal_scores_in_the_order_of_the_columns():
    assert drawn(MutualInfoDisplay.from_scores([0.0, 0.0, 0.0])) == ["x0", "x1", "x2"]


def test_from_scores__draws_no_bar_for_a_score_that_is_not_a_number():
    assert drawn(MutualInfoDisplay.from_scores([np.nan, 0.3, 0.5])) == ["x2", "x1"]


@pytest.mark.parametrize("n_features", [1, 3, 50])
def test_from_scores__limits_the_bars_and_leaves_room_for_values(n_features):
    display = MutualInfoDisplay.from_scores(np.arange(1, n_features + 1), max_features=20)
    assert len(display.bars_) == min(n_features, 20)
    display.figure_.canvas.draw()
    right = display.ax_.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in display.ax_.texts)


def test_from_scores__cuts_the_middle_out_of_a_long_name():
    (name,) = drawn(MutualInfoDisplay.from_scores([1.0], feature_names=["a" * 50 + "b" * 50]))
    assert name == "a" * 19 + "…" + "b" * 19


def test_plot__draws_into_given_axes():
    _, ax = matplotlib.pyplot.subplots()
    display = MutualInfoDisplay(scores=[0.2, 0.1]).plot(ax, bar_kw={"color": "red"})
    assert display.ax_ is ax
    assert display.bars_[0].get_facecolor() == (1.0, 0.0, 0.0, 1.0)


def test_from_estimator__takes_names_and_scores_of_the_selector():
    rng = np.random.default_rng(0)
    y = rng.normal(size=80)
    pandas = pytest.importorskip("pandas")
    X = pandas.DataFrame({"noise": rng.normal(size=80), "signal": y + 0.1 * rng.normal(size=80)})
    selector = ParallelMutualInfoSelector(k=1, random_state=0).fit(X, y)
    display = MutualInfoDisplay.from_estimator(selector)
    assert drawn(display) == ["signal", "noise"]
    assert display.bars_[0].get_width() == selector.scores_[1]


def test_from_estimator__does_not_call_another_score_nats():
    X = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 3.0]])
    selector = SelectKBest(lambda X, y: np.array([3.0, 200.0]), k=1).fit(X, X[:, 0])
    display = MutualInfoDisplay.from_estimator(selector)
    assert display.ax_.get_xlabel() == "Score"
    assert [text.get_text() for text in display.ax_.texts] == ["200", "3"]


def test_from_estimator__needs_a_fitted_selector():
    with pytest.raises(NotFittedError):
        MutualInfoDisplay.from_estimator(ParallelMutualInfoSelector())


@pytest.mark.parametrize(
    ("scores", "keywords", "message"),
    [
        ([[1.0]], {}, r"scores of shape \(1, 1\) give no bar\. .* one-dimensional"),
        ([], {}, r"scores of shape \(0,\) give no bar"),
        ([np.nan], {}, r"at least one finite score\. Pass the scores_"),
        ([1.0], {"max_features": 0}, r"max_features=0 is no number of bars\. .* at least 1"),
        ([1.0], {"feature_names": ["a", "b"]}, r"are 2 for 1 scores\. .* one name"),
    ],
)
def test_from_scores__names_what_is_wrong(scores, keywords, message):
    with pytest.raises(ValueError, match=message):
        MutualInfoDisplay.from_scores(scores, **keywords)


def test_plot__says_how_to_install_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r'pip install "skpar-select\[plot\]"'):
        MutualInfoDisplay.from_scores([1.0])


def test_import__leaves_matplotlib_alone():
    code = "import sys, skpar_select; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["cost_$a_$b", "price $ (US$)", "cost $50-$100"])
def test_names__with_dollar_signs_are_drawn_as_they_are(name, tmp_path):
    display = MutualInfoDisplay.from_scores([0.3], feature_names=[name])
    display.figure_.savefig(tmp_path / "x.png")  # where a formula would be read
    (label,) = display.ax_.get_yticklabels()
    assert label.get_text() == name
    assert not label.get_parse_math()


def test_from_scores__takes_the_names_of_a_series():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series({"height": 0.1, "age": 0.9})
    assert drawn(MutualInfoDisplay.from_scores(series)) == ["age", "height"]
    assert drawn(MutualInfoDisplay.from_scores(series, feature_names=["a", "b"])) == ["b", "a"]
    assert drawn(MutualInfoDisplay.from_scores(pandas.Series([0.1, 0.9]))) == ["x1", "x0"]


@pytest.fixture
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    return ParallelMutualInfoSelector(k=2, random_state=0).fit(X, X[:, 1] + X[:, 3]), X


def test_from_scores__takes_the_table_of_the_selector(fitted):
    selector, _ = fitted
    of_table = MutualInfoDisplay.from_scores(selector.to_frame())
    of_selector = MutualInfoDisplay.from_estimator(selector)
    assert drawn(of_table)[:2] == drawn(of_selector)[:2]
    assert {*drawn(of_table)[:2]} == {"x1", "x3"}
    for display in (of_table, of_selector):
        first, second, third, _ = (bar.get_facecolor() for bar in display.bars_)
        assert first == second != third
        legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert legend == ["selected", "not selected"]


def test_from_scores__needs_a_selection_for_every_score():
    with pytest.raises(ValueError, match=r"selected has shape \(1,\), scores \(2,\)"):
        MutualInfoDisplay.from_scores([0.1, 0.2], selected=[True])


def test_from_estimator__takes_the_selector_out_of_a_pipeline_and_a_search(fitted):
    selector, X = fitted
    y = X[:, 1] + X[:, 3]
    pipeline = make_pipeline(StandardScaler(), clone(selector), Ridge()).fit(X, y)
    search = GridSearchCV(pipeline, {"ridge__alpha": [1.0]}, cv=2).fit(X, y)
    for estimator in (pipeline, search):
        assert {*drawn(MutualInfoDisplay.from_estimator(estimator))[:2]} == {"x1", "x3"}


def test_from_estimator__says_what_it_takes(fitted):
    _, X = fitted
    with pytest.raises(TypeError, match=r"A ndarray is no selector.*from_scores"):
        MutualInfoDisplay.from_estimator(X)
    with pytest.raises(ValueError, match=r"holds 0 selectors.*such as pipe\[-2\]"):
        MutualInfoDisplay.from_estimator(make_pipeline(Ridge()))


def test_plot__of_many_features_stays_on_a_page():
    display = MutualInfoDisplay.from_scores(np.arange(1.0, 301.0), max_features=None)
    assert len(display.bars_) == 300
    assert display.figure_.get_size_inches()[1] == 16.0
    assert display.ax_.xaxis.get_tick_params()["labeltop"]


def test_noise_floor__is_a_line_within_the_picture():
    display = MutualInfoDisplay.from_scores([0.1, 0.05], noise_floor=0.4)
    (line,) = display.ax_.lines
    assert list(line.get_xdata()) == [0.4, 0.4]
    assert display.ax_.get_xlim()[1] > 0.4
    assert "1 of 2" in display.ax_.get_legend().get_texts()[-1].get_text()


def test_noise_floor__of_a_selector_is_there_where_it_has_pvalues():
    X = np.random.default_rng(0).normal(size=(60, 5))
    selector = ParallelMutualInfoSelector(k=2, pvalues=True, random_state=0).fit(X, X[:, 0])
    (line,) = MutualInfoDisplay.from_estimator(selector).ax_.lines
    assert line.get_xdata()[0] == selector.noise_floor_.max() > 0
    selector.set_params(pvalues=False).fit(X, X[:, 0])
    assert not MutualInfoDisplay.from_estimator(selector).ax_.lines
