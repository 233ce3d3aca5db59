"""The picture of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skpar_select._origins import origins
from skpar_select._wording import quote

_SELECTED, _PALE = "#2f6f8f", "#b9cdd7"
_FLOOR = "#b5482f"
_HIGHEST = 16.0  # inches: a page, and a screen of a notebook
_LONG = 40  # bars; from there the scores have an axis on top, too
_LONGEST_NAME = 40  # characters; a longer name would leave no room for the bars
_MUTUAL_INFORMATION = "Mutual information with target (nats)"


class MutualInfoDisplay:
    """Bar chart of the features that share most information with the target.

    Make one with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : array-like, Series or data frame of shape (n_features,)
        Score of each feature, in nats where it is mutual information. The index of a Series is the
        names; a table as :meth:`ParallelMutualInfoSelector.to_frame` gives it has names and
        selection in its columns ``feature`` and ``selected``.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features; where there are none, those that come with `scores`, or ``x0``,
        ``x1``, ...
    score_name : str, default="Mutual information with target (nats)"
        What the scores are, with their unit: the label of the axis.
    selected : array-like of bool of shape (n_features,), default=None
        Which features are selected; the bars of the others are pale. None draws all alike.
    noise_floor : float, default=None
        What noise alone reaches in one of so many features, as a line. None draws none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the bars were drawn.
    figure_ : matplotlib Figure
        The figure that holds the axes.
    bars_ : matplotlib BarContainer
        The bars, best feature first.

    Examples
    --------
    >>> from skpar_select import MutualInfoDisplay
    >>> display = MutualInfoDisplay.from_scores([0.1, 0.7], feature_names=["height", "age"])
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['age', 'height']
    """

    def __init__(
        self,
        *,
        scores: ArrayLike,
        feature_names: ArrayLike | Sequence[str] | None = None,
        score_name: str = _MUTUAL_INFORMATION,
        selected: ArrayLike | None = None,
        noise_floor: float | None = None,
    ) -> None:
        self.scores = scores
        self.feature_names = feature_names
        self.score_name = score_name
        self.selected = selected
        self.noise_floor = noise_floor

    @classmethod
    def from_estimator(
        cls,
        selector: Any,
        *,
        max_features: int | None = 20,
        ax: Any = None,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best features of a fitted selector, and the floor of noise if it has p-values.

        Parameters
        ----------
        selector : ParallelMutualInfoSelector, Pipeline or search
            A fitted selector, or a fitted Pipeline or search of scikit-learn with one selector.
        max_features : int or None, default=20
            The most bars to draw; None draws all.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
        """
        selector = _selector_of(selector)
        check_is_fitted(selector, "scores_")
        own_score = getattr(selector, "score_func", None) is None
        floors = getattr(selector, "noise_floor_", None)
        known = [] if floors is None else floors[np.isfinite(floors)]
        return cls.from_scores(
            selector.scores_,
            feature_names=getattr(selector, "feature_names_in_", None),
            score_name=_MUTUAL_INFORMATION if own_score else "Score",
            selected=selector.get_support(),
            # Of columns with gaps, or of other classes, it is another: the highest is safe.
            noise_floor=max(known, default=None),
            max_features=max_features,
            ax=ax,
            bar_kw=bar_kw,
        )

    @classmethod
    def from_scores(
        cls,
        scores: ArrayLike,
        *,
        feature_names: ArrayLike | Sequence[str] | None = None,
        score_name: str = _MUTUAL_INFORMATION,
        selected: ArrayLike | None = None,
        noise_floor: float | None = None,
        max_features: int | None = 20,
        ax: Any = None,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best of some scores.

        Parameters
        ----------
        scores : array-like, Series or data frame of shape (n_features,)
            Score of each feature, with names where it has any.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; where there are none, those that come with `scores`, or ``x0``,
            ``x1``, ...
        score_name : str, default="Mutual information with target (nats)"
            What the scores are, with their unit.
        selected : array-like of bool of shape (n_features,), default=None
            Which features are selected; the bars of the others are pale.
        noise_floor : float, default=None
            What noise alone reaches in one of so many features, as a line.
        max_features : int or None, default=20
            The most bars to draw; None draws all.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
        """
        display = cls(
            scores=scores,
            feature_names=feature_names,
            score_name=score_name,
            selected=selected,
            noise_floor=noise_floor,
        )
        return display.plot(ax, max_features=max_features, bar_kw=bar_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        max_features: int | None = 20,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best features, best on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure whose height suits the number of bars.
        max_features : int or None, default=20
            The most bars to draw; None draws all. A score that is not a number gets no bar.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
            This display, with ``ax_``, ``figure_`` and ``bars_``.
        """
        names, scores, selected = self._best(max_features)
        if ax is None:
            size = (7.0, min(0.9 + 0.27 * len(scores), _HIGHEST))
            figure, ax = _pyplot().subplots(figsize=size, layout="constrained")
            figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        rows = np.arange(len(scores))
        colors = _SELECTED if selected is None else np.where(selected, _SELECTED, _PALE).tolist()
        style = {"height": 0.72, "color": colors} | dict(bar_kw or {})
        bars = ax.barh(rows, scores, **style)
        low, high = min(scores.min(), 0.0), max(scores.max(), self.noise_floor or 0.0, 0.0)
        text = "%.3f" if max(high, -low) < 100 else "%.4g"
        # Above the highest figure, text shrinks with the bars.
        points = _pyplot().rcParams["font.size"]
        points *= min(1.0, _HIGHEST / (0.9 + 0.27 * len(scores)))
        ax.bar_label(bars, fmt=text, padding=4, fontsize=0.83 * points, color="#444444")
        # A name is text: two dollar signs are no formula.
        ax.set_yticks(rows, [_shortened(name) for name in names], parse_math=False, fontsize=points)
        ax.set_ylim(len(scores) - 0.4, -0.6)
        room = 0.12 * (high - low) or 1.0  # for the values beside the bars
        ax.set_xlim(low - room if low < 0.0 else 0.0, high + room)
        ax.set_xlabel(self.score_name)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.grid(axis="x", color="#dddddd", linewidth=0.8)
        ax.set_axisbelow(True)
        if len(scores) > _LONG:
            ax.tick_params(axis="x", top=True, labeltop=True)
        handles = []
        if selected is not None and "color" not in (bar_kw or {}) and not selected.all():
            handles = [_patch(_SELECTED, "selected"), _patch(_PALE, "not selected")]
        if self.noise_floor is not None:
            n_features = np.size(_columns_of(self.scores)[0])
            line = ax.axvline(self.noise_floor, color=_FLOOR, linestyle="--", linewidth=1.2)
            line.set_label(f"noise alone reaches this in 1 of {n_features:,}")
            handles.append(line)
        if handles:
            ax.legend(handles=handles, loc="lower right", frameon=False)
        self.ax_, self.figure_, self.bars_ = ax, ax.figure, bars
        return self

    def _best(self, max_features: int | None) -> tuple[list[str], np.ndarray, np.ndarray | None]:
        given, own_names, selected = _columns_of(self.scores)
        try:
            scores = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"scores={quote(given)} are no numbers. A picture needs one score for each feature. Pass "
                "the scores_ of a fitted selector."
            ) from error
        selected = selected if self.selected is None else np.asarray(self.selected, dtype=bool)
        if scores.ndim != 1 or not np.isfinite(scores).any():
            raise ValueError(
                f"scores of shape {scores.shape} give no bar. A picture needs a one-dimensional array "
                "with at least one finite score. Pass the scores_ of a fitted selector."
            )
        if max_features is not None:
            whole = isinstance(max_features, int | np.integer) and not isinstance(
                max_features, bool
            )
            if not whole or max_features < 1:
                raise (ValueError if whole else TypeError)(
                    f"max_features={quote(max_features)} is no number of bars. It must be a whole number, "
                    "at least 1, or None for all. Pass how many to draw, such as 20."
                )
        feature_names = own_names if self.feature_names is None else self.feature_names
        if feature_names is None:
            names = [f"x{index}" for index in range(len(scores))]
        else:
            names = [str(name) for name in np.atleast_1d(np.asarray(feature_names))]
        if len(names) != len(scores):
            raise ValueError(
                f"feature_names={quote(feature_names)} are {len(names)} for {len(scores)} scores. Every score "
                "needs one name. Pass the names of all columns, in their order."
            )
        if selected is not None and selected.shape != scores.shape:
            raise ValueError(
                f"selected has shape {selected.shape}, scores {scores.shape}. Every score is selected "
                "or not. Pass the get_support() of the selector."
            )
        # Of equal scores the selected come first, as in the table of scores.
        keys = (-scores,) if selected is None else (~selected, -scores)
        order = np.lexsort(keys)
        order = order[np.isfinite(scores[order])][:max_features]
        return (
            [names[index] for index in order],
            scores[order],
            None if selected is None else selected[order],
        )


def _columns_of(scores: Any) -> tuple[Any, Any, Any]:
    """Return scores, names and selection of a table or a Series of pandas, or of an array."""
    kinds = origins(scores)
    if ("pandas", "Series") in kinds:
        # A range counts positions; it names nothing.
        is_range = type(scores.index).__name__ == "RangeIndex"
        return scores.to_numpy(), None if is_range else scores.index.to_numpy(), None
    if ("pandas", "DataFrame") in kinds and "score" in scores.columns:
        names, selected = (
            scores[name].to_numpy() if name in scores.columns else None
            for name in ("feature", "selected")
        )
        return scores["score"].to_numpy(), names, selected
    return scores, None, None


def _selector_of(estimator: Any) -> Any:
    """Return the one selector with scores in a Pipeline or a search, or what was given."""
    within = getattr(estimator, "best_estimator_", estimator)
    steps = getattr(within, "steps", None)
    if steps is None:
        if not hasattr(within, "get_support"):
            raise TypeError(
                f"A {type(within).__name__} is no selector. The picture needs scores_ and "
                "get_support(). Pass a fitted selector, or scores to from_scores."
            )
        return within
    found = [step for _, step in steps if hasattr(step, "get_support")]
    if len(found) != 1:
        raise ValueError(
            f"The {type(within).__name__} holds {len(found)} selectors. The picture is of one. Pass "
            "it, such as pipe[-2]."
        )
    return found[0]


def _patch(color: str, label: str) -> Any:
    from matplotlib.patches import Patch

    return Patch(color=color, label=label)


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "drawing the scores needs matplotlib, which is not installed; "
            'install it with: pip install "skpar-select[plot]"'
        ) from error
    return plt


def _shortened(name: str) -> str:
    """Cut the middle out of a long name: probe and gene names differ at both ends."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = (_LONGEST_NAME - 1) // 2
    return f"{name[:half]}…{name[-half:]}"
