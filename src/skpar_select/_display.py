"""The picture of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

_LONGEST_NAME = 40  # characters; a longer name would leave no room for the bars
_MUTUAL_INFORMATION = "Mutual information with target (nats)"


class MutualInfoDisplay:
    """Bar chart of the features that share most information with the target.

    Make one with :meth:`from_estimator` or :meth:`from_scores`.

    Parameters
    ----------
    scores : array-like of shape (n_features,)
        Score of each feature, in nats where it is mutual information.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the features; ``x0``, ``x1``, ... where there are none.
    score_name : str, default="Mutual information with target (nats)"
        What the scores are, with their unit: the label of the axis.

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
    ) -> None:
        self.scores = scores
        self.feature_names = feature_names
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        selector: Any,
        *,
        max_features: int = 20,
        ax: Any = None,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best features of a fitted selector.

        Parameters
        ----------
        selector : ParallelMutualInfoSelector
            A fitted selector.
        max_features : int, default=20
            The most bars to draw.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
        """
        check_is_fitted(selector, "scores_")
        own_score = getattr(selector, "score_func", None) is None
        return cls.from_scores(
            selector.scores_,
            feature_names=getattr(selector, "feature_names_in_", None),
            score_name=_MUTUAL_INFORMATION if own_score else "Score",
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
        max_features: int = 20,
        ax: Any = None,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best of some scores.

        Parameters
        ----------
        scores : array-like of shape (n_features,)
            Score of each feature.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features; ``x0``, ``x1``, ... where there are none.
        score_name : str, default="Mutual information with target (nats)"
            What the scores are, with their unit.
        max_features : int, default=20
            The most bars to draw.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
        """
        display = cls(scores=scores, feature_names=feature_names, score_name=score_name)
        return display.plot(ax, max_features=max_features, bar_kw=bar_kw)

    def plot(
        self,
        ax: Any = None,
        *,
        max_features: int = 20,
        bar_kw: Mapping[str, Any] | None = None,
    ) -> MutualInfoDisplay:
        """Draw the best features, best on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure whose height suits the number of bars.
        max_features : int, default=20
            The most bars to draw. A score that is not a number gets no bar.
        bar_kw : dict, default=None
            Keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : MutualInfoDisplay
            This display, with ``ax_``, ``figure_`` and ``bars_``.
        """
        names, scores = self._best(max_features)
        if ax is None:
            size = (7.0, 0.9 + 0.27 * len(scores))
            figure, ax = _pyplot().subplots(figsize=size, layout="constrained")
            figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
        rows = np.arange(len(scores))
        style = {"height": 0.72, "color": "#2f6f8f"} | dict(bar_kw or {})
        bars = ax.barh(rows, scores, **style)
        low, high = min(scores.min(), 0.0), max(scores.max(), 0.0)
        text = "%.3f" if max(high, -low) < 100 else "%.4g"
        ax.bar_label(bars, fmt=text, padding=4, fontsize="small", color="#444444")
        ax.set_yticks(rows, [_shortened(name) for name in names])
        ax.set_ylim(len(scores) - 0.4, -0.6)
        room = 0.12 * (high - low) or 1.0  # for the values beside the bars
        ax.set_xlim(low - room if low < 0.0 else 0.0, high + room)
        ax.set_xlabel(self.score_name)
        ax.tick_params(axis="y", length=0)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.grid(axis="x", color="#dddddd", linewidth=0.8)
        ax.set_axisbelow(True)
        self.ax_, self.figure_, self.bars_ = ax, ax.figure, bars
        return self

    def _best(self, max_features: int) -> tuple[list[str], np.ndarray]:
        scores = np.asarray(self.scores, dtype=np.float64)
        if scores.ndim != 1 or not np.isfinite(scores).any():
            raise ValueError(
                f"scores of shape {scores.shape} give no bar: a picture needs a one-dimensional array "
                "with at least one finite score; pass the scores_ of a fitted selector"
            )
        if max_features < 1:
            raise ValueError(
                f"max_features={max_features} leaves no bar: it must be at least 1; pass the number "
                "of bars to draw, such as 20"
            )
        if self.feature_names is None:
            names = [f"x{index}" for index in range(len(scores))]
        else:
            names = [str(name) for name in np.asarray(self.feature_names)]
        if len(names) != len(scores):
            raise ValueError(
                f"{len(names)} feature_names for {len(scores)} scores: every score needs one name; "
                "pass the names of all columns, in their order"
            )
        order = np.argsort(-scores, kind="stable")
        order = order[np.isfinite(scores[order])][:max_features]
        return [names[index] for index in order], scores[order]


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
