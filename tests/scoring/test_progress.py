"""Progress: a line of text, and the callbacks of scikit-learn 1.9."""

import io
import pickle
import warnings

import numpy as np
import pytest
from layouts import layout_of, plan_of
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring import CallbackSupportMixin, ProgressLine, ProgressLog, progress_on
from skpar_select.scoring._progress import CallbackTasks

has_callbacks = pytest.mark.skipif(
    not hasattr(CallbackSupportMixin, "set_callbacks"), reason="came with scikit-learn 1.9"
)


@pytest.fixture
def problem():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(60, 70))
    return X, X[:, 3] + 0.3 * rng.normal(size=60)


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.isatty = lambda: terminal


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def clock():
    return Clock()


def begun(progress, n_features):
    progress.begin(plan_of(layout_of(n_features=n_features)))
    return progress


def write(progress, n_columns, first=0):
    columns = range(first, first + n_columns)
    progress.write(columns, {"score": np.zeros(n_columns)})


class TestLine:
    def test_line__is_drawn_again_in_its_place(self, stream, clock):
        line = begun(ProgressLine(stream, clock=clock), 1000)
        write(line, 400, first=600)
        write(line, 600)
        line.close(complete=True)
        first, second = stream.getvalue().split("\r")[1:]
        assert first.rstrip() == "[############..................] 400 of 1,000 features"
        assert second.rstrip() == "[##############################] 1,000 of 1,000 features"
        assert stream.getvalue().endswith("\n")
        assert stream.getvalue().count("\n") == 1

    def test_work_that_stops__leaves_the_line(self, stream):
        line = begun(ProgressLine(stream), 1000)
        line.close(complete=False)
        assert stream.getvalue() == ""
        write(line, 400)
        line.close(complete=False)
        assert stream.getvalue().endswith("\n")

    def test_work_that_fails_at_its_end__ends_the_line_once(self, stream):
        line = begun(ProgressLine(stream), 1000)
        write(line, 1000)
        line.close(complete=False)
        assert stream.getvalue().count("\n") == 1


class TestTimeLeft:
    @pytest.mark.parametrize(
        ("seconds", "n_done", "expected"),
        [
            (1.9, 500, "500 of 1,000 features"),  # too short to tell
            (10, 49, "49 of 1,000 features"),  # too little is done to tell
            (10, 50, "50 of 1,000 features, 3 min left"),
            (10, 500, "500 of 1,000 features, 10 s left"),
            (10, 999, "999 of 1,000 features, 1 s left"),  # never 0
            (7.2, 1000, "1,000 of 1,000 features in 7 s"),
            (1.9, 1000, "1,000 of 1,000 features"),
            (3600, 250, "250 of 1,000 features, 3 h 0 min left"),
        ],
    )
    def test_time_left__is_told_where_it_is_known(self, stream, clock, seconds, n_done, expected):
        line = begun(ProgressLine(stream, clock=clock), 1000)
        clock.now += seconds
        write(line, n_done)
        assert stream.getvalue().split("] ")[1].rstrip() == expected


class TestLog:
    def test_log__has_a_line_for_each_tenth(self, stream, clock):
        log = begun(ProgressLog(stream, clock=clock), 1000)
        for _ in range(100):
            clock.now += 0.1
            write(log, 10)
        log.close(complete=True)
        lines = stream.getvalue().splitlines()
        assert lines[0] == " 10 %: 100 of 1,000 features"
        assert lines[4] == " 50 %: 500 of 1,000 features, 5 s left"
        assert lines[9] == "100 %: 1,000 of 1,000 features in 10 s"
        assert len(lines) == 10

    def test_log__has_a_line_after_half_a_minute(self, stream, clock):
        log = begun(ProgressLog(stream, clock=clock), 10**6)
        for _ in range(100):
            clock.now += 1
            write(log, 10)
        lines = stream.getvalue().splitlines()
        assert lines[0] == "  0 %: 300 of 1,000,000 features"
        assert len(lines) == 3

    def test_log__of_a_short_fit_is_its_last_line(self, stream, clock):
        log = begun(ProgressLog(stream, clock=clock), 1000)
        for _ in range(100):
            write(log, 10)
        assert stream.getvalue() == "100 %: 1,000 of 1,000 features\n"


class TestChoice:
    @pytest.mark.parametrize(("terminal", "kind"), [(True, ProgressLine), (False, ProgressLog)])
    def test_stream__decides(self, terminal, kind):
        assert type(progress_on(Stream(terminal))) is kind

    def test_notebook__draws_a_line(self):
        class OutStream(Stream):
            __module__ = "ipykernel.iostream"

        assert type(progress_on(OutStream(terminal=False))) is ProgressLine

    def test_verbose__may_be_the_progress_itself(self, problem, stream):
        selector = ParallelMutualInfoSelector(verbose=ProgressLog(stream)).fit(*problem)
        assert stream.getvalue() == "100 %: 70 of 70 features\n"
        assert clone(ParallelMutualInfoSelector(verbose=ProgressLine())) is not selector

    @pytest.mark.parametrize("verbose", [0, 1, True, False])
    def test_verbose__asks_for_it(self, problem, capsys, verbose):
        ParallelMutualInfoSelector(verbose=verbose).fit(*problem)
        captured = capsys.readouterr()
        assert ("70 of 70 features" in captured.err) == bool(verbose)
        assert captured.out == ""

    def test_verbose__is_quiet_where_scores_are_known(self, problem, capsys, tmp_path):
        for _ in range(2):
            capsys.readouterr()
            ParallelMutualInfoSelector(verbose=1, random_state=0, store=tmp_path / "cache").fit(
                *problem
            )
        assert capsys.readouterr().err == ""


class Recording:
    """A callback that takes note of its hooks."""

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X, y):
        known = X is not None, y is not None
        self.events.append(("begin", context.task_name, context.task_id, known))
        if context.parent is None:
            self.max_subtasks = context.max_subtasks

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name, context.task_id))

    def teardown(self, estimator, context):
        self.events.append("teardown")


@has_callbacks
class TestCallbacks:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_every_block__is_a_task_of_the_fit(self, problem, n_jobs):
        recording = Recording()
        selector = ParallelMutualInfoSelector(n_jobs=n_jobs).set_callbacks(recording)
        selector.fit(*problem)
        events = recording.events
        assert events[:2] == ["setup", ("begin", "fit", 0, (True, True))]
        assert events[-2:] == [("end", "fit", 0), "teardown"]
        blocks = events[2:-2]
        assert len(blocks) == 2 * recording.max_subtasks > 2
        assert sorted(event[2] for event in blocks[::2]) == list(range(recording.max_subtasks))
        assert blocks[0] == ("begin", "block", blocks[1][2], (False, False))
        assert {event[0] for event in blocks[1::2]} == {"end"}
        assert not hasattr(selector, "_callback_fit_ctx")

    def test_blocks_beyond_the_plan__are_no_tasks(self, problem):
        # Another process that scores the same may cut narrower blocks, which are taken over.
        recording = Recording()
        selector = ParallelMutualInfoSelector().set_callbacks(recording)
        tasks = CallbackTasks(selector, *problem)
        plan = plan_of(layout_of())
        tasks.begin(plan)
        for column in range(plan.n_blocks + 3):
            tasks.write(range(column, column + 1), {})
        tasks.end_fit()
        begun = [event for event in recording.events if event[:2] == ("begin", "block")]
        assert len(begun) == plan.n_blocks > 0

    def test_known_scores__are_a_fit_without_blocks(self, problem, tmp_path):
        for _ in range(2):
            recording = Recording()
            ParallelMutualInfoSelector(random_state=0, store=tmp_path).set_callbacks(recording).fit(
                *problem
            )
        assert recording.max_subtasks == 0
        assert [event[0] for event in recording.events[1:-1]] == ["begin", "end"]

    def test_error__tears_down(self, problem):
        def fails(X, y):
            raise ValueError("sad")

        recording = Recording()
        selector = ParallelMutualInfoSelector(score_func=fails).set_callbacks(recording)
        with pytest.raises(ValueError, match="sad"):
            selector.fit(*problem)
        assert recording.events[-1] == "teardown"
        assert not hasattr(selector, "_callback_fit_ctx")
        with pytest.raises(ValueError, match="n_neighbors=60"):
            selector.set_params(score_func=None, n_neighbors=60).fit(*problem)

    def test_callback__may_stop_the_work(self, problem):
        recording = Recording()
        recording.on_fit_task_end = stop
        with pytest.raises(KeyboardInterrupt):
            ParallelMutualInfoSelector(n_jobs=2).set_callbacks(recording).fit(*problem)

    def test_fitted_selector__pickles_and_clones_without_the_fit(self, problem):
        recording = Recording()
        selector = ParallelMutualInfoSelector().set_callbacks(recording).fit(*problem)
        copied = pickle.loads(pickle.dumps(selector))
        np.testing.assert_array_equal(copied.scores_, selector.scores_)
        clone(selector)

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_progress_bar__shows_every_selector_of_a_grid(
        self, problem, capsys, n_jobs, monkeypatch
    ):
        pytest.importorskip("rich")
        monkeypatch.setenv("COLUMNS", "200")
        from sklearn.callback import ProgressBar

        search = GridSearchCV(
            make_pipeline(ParallelMutualInfoSelector(random_state=0), Ridge()),
            {"parallelmutualinfoselector__k": [1, 3]},
            cv=2,
            n_jobs=n_jobs,
        )
        search.set_callbacks(ProgressBar(max_propagation_depth=None))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The estimator Ridge does not support")
            search.fit(*problem)
        shown = capsys.readouterr().out
        bars = [text for text in shown.splitlines() if "ParallelMutualInfoSelector - fit" in text]
        assert len(bars) >= 5
        assert "100%" in bars[-1]

    def test_progress_bar__shows_a_selector_alone(self, problem, capsys, monkeypatch):
        pytest.importorskip("rich")
        monkeypatch.setenv("COLUMNS", "200")
        from sklearn.callback import ProgressBar

        ParallelMutualInfoSelector(n_jobs=2).set_callbacks(ProgressBar()).fit(*problem)
        last = capsys.readouterr().out.splitlines()[-1]
        assert last.startswith("ParallelMutualInfoSelector - fit")
        assert "100%" in last


def stop(estimator, context):
    raise KeyboardInterrupt
