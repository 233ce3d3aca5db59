"""Draw the pictures of docs/significance.md, and write its tables, figures and output anew.

    python docs/images/significance.py    # about a minute of one core

Run it again where the null or the test has changed: tests/test_examples.py holds the page against a part of it.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path

import matplotlib
import numpy as np
from scipy import stats

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from skpar_select import ParallelMutualInfoSelector, align, open_matrix
from skpar_select.significance import kraskov_moments, neighbors_of_test, upper_quantile

HERE = Path(__file__).parent
PAGE = HERE.parent / "significance.md"
DATA = HERE.parents[1] / "examples" / "data"
BLUE, ORANGE, GREY = "#1f5fa8", "#d9720b", "#9a9a9a"
N_SITES, N_SHUFFLED = 71, 27
TESTS = {
    "3 neighbours": {"test_neighbors": 3},
    "`auto`": {},
    "`combined`": {"test": "combined"},
}


@cache
def blood():
    """Return the methylomes and the ages of their donors."""
    X, age = align(open_matrix(DATA / "blood_methylation.h5"), DATA / "trainmap.csv", "age")
    return np.asarray(X[:]), age


def with_shuffled(n_samples, seed):
    """Return some samples of the 71 sites, 27 copies whose samples changed places, and the ages."""
    X, age = blood()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(age))[:n_samples]
    copies = [X[rows][rng.permutation(n_samples)] for _ in range(N_SHUFFLED)]
    return np.hstack([X[rows], *copies]), age[rows]


def fitted(X, y, *, strata=None, covariates=None, **parameters):
    """Return a selector with p-values."""
    selector = ParallelMutualInfoSelector(pvalues=True, random_state=0, **parameters)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "No features were selected|.* columns pass")
        return selector.fit(X, y, strata=strata, covariates=covariates)


def table(title, columns, rows) -> Iterator[str]:
    """Yield the lines of a table of Markdown."""
    yield f"| {title} | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for name, cells in rows:
        yield f"| {name} | {' | '.join(cells)} |"


def found_by_size(sizes=(50, 100, 200, 300), n_draws=10):
    """Yield how many real sites, and shuffled ones, pass fdr=0.05."""
    rows = []
    for n_samples in sizes:
        drawn = [with_shuffled(n_samples, seed) for seed in range(n_draws)]
        cells = []
        for parameters in TESTS.values():
            kept = [fitted(X, y, fdr=0.05, **parameters).get_support() for X, y in drawn]
            real = np.mean([mask[:N_SITES].sum() for mask in kept])
            cells.append(f"{real:.1f} and {np.mean([mask[N_SITES:].sum() for mask in kept]):.1f}")
        rows.append((n_samples, cells))
    return table("samples", TESTS, rows)


def false_shares(n_samples=100, n_draws=50):
    """Yield which part of what is kept is shuffled."""
    shares = {"bh": [], "by": []}
    for seed in range(n_draws):
        selector = fitted(*with_shuffled(n_samples, seed), fdr=0.1)
        for method, found in shares.items():
            mask = selector.set_params(fdr_method=method).get_support()
            found.append(mask[N_SITES:].sum() / max(1, mask.sum()))
    return table(
        "`fdr=0.1`",
        ["mean share of shuffled columns", "in one draw of ten at least", "at most"],
        (
            (
                f'`fdr_method="{method}"`',
                [f"{value:.3f}" for value in (np.mean(x), np.quantile(x, 0.9), max(x))],
            )
            for method, x in shares.items()
        ),
    )


def shapes(y, n_columns, rng):
    """Return columns that depend on a normal target in several ways."""
    noise = rng.normal(size=(len(y), n_columns))
    column = y[:, np.newaxis]
    tight = rng.random(noise.shape) < 0.12
    waves = np.sin(10 * np.pi * stats.norm.cdf(column))
    return {
        "a line, r = 0.3": 0.3 * column + np.sqrt(1 - 0.3**2) * noise,
        "a parabola": 0.4 * (column**2 - 1) / np.sqrt(2) + np.sqrt(1 - 0.4**2) * noise,
        "the spread alone": np.exp(0.4 * column) * noise,
        "a sine of five periods": waves + 0.7 * noise,
        "12 % of the samples close to a line": np.where(tight, column + 0.1 * noise, noise),
    }


def power(n_samples=1000, n_columns=400):
    """Yield which part of columns that depend on the target has p < 1e-6."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=n_samples)
    tests = {
        "3 neighbours": {"test_neighbors": 3},
        "10": {"test_neighbors": 10},
        "`auto`, here 30": {},
        "`combined`": {"test": "combined"},
    }
    rows = []
    for name, X in shapes(y, n_columns, rng).items():
        fits = [fitted(X, y, **parameters) for parameters in tests.values()]
        rho = fits[0].rho_
        alone = 2 * stats.t.sf(abs(rho) * np.sqrt((n_samples - 2) / (1 - rho**2)), n_samples - 2)
        shares = [np.mean(p < 1e-6) for p in [alone, *(one.pvalues_ for one in fits)]]
        rows.append((name, [f"{share:.2f}" for share in shares]))
    return table("dependence", ["rank correlation alone", *tests], rows)


def confounded(n_samples, n_columns):
    """Yield targets, columns that know nothing of them, and what drives both."""
    rng = np.random.default_rng(0)
    y, X = rng.normal(size=n_samples), rng.normal(size=(n_samples, n_columns))
    batch, z = rng.integers(0, 5, n_samples), rng.normal(size=n_samples)
    column = z[:, np.newaxis]
    yield "nothing", y, X, z
    yield "a batch of five shifts both", y + batch, X + batch[:, np.newaxis], batch
    yield "a covariate, in a line", y + z, X + column, z
    yield "a covariate, in a parabola", y + z**2, X + column**2, z
    yield "a covariate drives the spread of both", y * np.exp(z / 2), X * np.exp(column / 2), z
    donor = np.arange(n_samples) // 2
    X_donors = X[donor] + 0.3 * rng.normal(size=X.shape)
    yield "two samples of each donor", y[donor], X_donors, None


def confounders(n_samples=1000, n_columns=10_000):
    """Yield which part of columns that know nothing of the target has p < 0.001."""
    rows = []
    for name, y, X, driver in confounded(n_samples, n_columns):
        ways = [{}]
        if driver is not None and driver.dtype.kind == "i":
            ways += [{"strata": driver}]
        elif driver is not None:
            tenths = np.argsort(np.argsort(driver)) * 10 // n_samples
            ways += [{"strata": tenths}, {"covariates": driver}]
            ways += [{"covariates": driver, "covariate_knots": 5}]
        cells = [f"{np.mean(fitted(X, y, **way).pvalues_ < 0.001):.4f}" for way in ways]
        rows.append((name, cells + [""] * (4 - len(cells))))
    columns = ["as it is", "strata", "covariates", "covariates, `covariate_knots=5`"]
    return table("what drives both", columns, rows)


def floors(sizes=(50, 100, 300, 1000, 8085), numbers=(71, 10_000, 483_512)):
    """Yield the score, of 3 neighbours, that noise exceeds in one of so many columns."""
    rows = []
    for n_samples in sizes:
        null = kraskov_moments(np.array([n_samples]), 3)._replace(mean=np.zeros(1))
        reached = [upper_quantile(-np.log(number), null)[0] for number in numbers]
        rows.append((f"{n_samples:,}", [f"{value:.3f}" for value in reached]))
    return table("samples", [f"of {number:,} columns" for number in numbers], rows)


def least_correlations(sizes=(100, 300, 1000, 8085), level=1e-7):
    """Yield which correlation of two normal columns has this p-value."""
    rows = []
    for n_samples in sizes:
        neighbors = 3, neighbors_of_test("auto", n_samples)
        nulls = [kraskov_moments(np.array([n_samples]), k) for k in neighbors]
        nats = [upper_quantile(np.log(level), one._replace(mean=np.zeros(1)))[0] for one in nulls]
        of_ranks = np.tanh(stats.norm.isf(level / 2) / np.sqrt(n_samples - 3))
        rows.append(
            (
                f"{n_samples:,}",
                [f"{r:.2f}" for r in (*np.sqrt(1 - np.exp(-2 * np.array(nats))), of_ranks)],
            )
        )
    return table("samples", ["3 neighbours", "`auto`", "rank correlation alone"], rows)


def permuted_ages(n_permutations=100):
    """Yield which part of p-values is small where the ages of all samples are permuted."""
    X, age = blood()
    rng = np.random.default_rng(0)
    pvalues = np.array([fitted(X, rng.permutation(age)).pvalues_ for _ in range(n_permutations)])
    levels = 0.05, 0.01, 0.001
    shares = [f"{np.mean(pvalues < level):.4f}" for level in levels]
    return table("p below", [str(level) for level in levels], [("share", shares)])


def facts():
    """Yield what the page says in its sentences."""
    X, age = blood()
    whole = fitted(X, age)
    order = stats.spearmanr(whole.scores_, -whole.log_pvalues_).statistic
    yield f"rank correlation of the two orders is {order:.3f}"
    powers = whole.log_pvalues_ / np.log(10)
    yield f"p-values of all samples go from 1e{powers.max():.0f} to 1e{powers.min():.0f}"
    X, age = with_shuffled(100, 0)
    kept = []
    for seed in range(10):
        selector = fitted(X, age.round()).set_params(random_state=seed, fdr=0.05)
        kept.append(int(selector.fit(X, age.round()).get_support().sum()))
    yield f"ten seeds keep {min(kept)} to {max(kept)} of"


def draw_qq(output, sizes=(8085, 300, 100)):
    """Draw p-values against those of a column that tells nothing."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.3))
    for n_samples, color in zip(sizes, (BLUE, "#6aaed6", ORANGE), strict=True):
        X, y = with_shuffled(n_samples, 0)
        observed = -fitted(X, y).log_pvalues_ / np.log(10)
        real, shuffled = np.sort(observed[:N_SITES]), np.sort(observed[N_SITES:])
        label = f"{n_samples:,} samples"
        left.scatter(expected(len(shuffled)), shuffled, s=9, color=color, linewidth=0, label=label)
        right.plot(expected(N_SITES), real, ".", ms=5, color=color, label=label)
    n = N_SITES * N_SHUFFLED
    places = np.arange(n, 0, -1)
    low, high = (-np.log10(stats.beta.ppf(q, places, n + 1 - places)) for q in (0.975, 0.025))
    band = "95 % of independent columns"
    left.fill_between(expected(n), low, high, color="0.9", linewidth=0, zorder=0, label=band)
    left.plot([0, 4.2], [0, 4.2], color="0.4", linewidth=0.9, zorder=1)
    left.set(xlim=(0, 3.6), ylim=(0, 4.6), title="Samples shuffled: on the line")
    line = np.geomspace(0.002, 2.3, 50)
    right.plot(line, line, color="0.4", linewidth=0.9)
    right.set(
        yscale="log", xlim=(0, 2.3), ylim=(0.05, 2e4), title="71 sites and real ages: far above"
    )
    right.text(
        2.25, 1.3, "columns that\ntell nothing", ha="right", va="top", fontsize=9, color="0.3"
    )
    for axes in (left, right):
        axes.set_xlabel("expected $-\\log_{10}$ p")
        axes.set_ylabel("observed $-\\log_{10}$ p")
        axes.title.set(fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, fontsize=9, loc="upper left", handletextpad=0.1)
    finish(figure, output)


def draw_floor(output, sizes=(100, 8085)):
    """Draw the scores of all columns in order, and what noise alone reaches."""
    figure, panels = plt.subplots(1, 2, figsize=(9.5, 4.3), sharey=True)
    for axes, n_samples in zip(panels, sizes, strict=True):
        X, y = with_shuffled(n_samples, 0)
        selector = fitted(X, y, fdr=0.05)
        order = np.argsort(-selector.scores_)
        rank, real = np.arange(1, len(order) + 1), order < N_SITES
        for some, color, name in ((~real, GREY, "shuffled columns"), (real, BLUE, "real sites")):
            axes.scatter(
                rank[some],
                selector.scores_[order][some],
                s=13,
                color=color,
                linewidth=0,
                label=name,
            )
        floor = selector.noise_floor_[0]
        axes.axhline(floor, color=ORANGE, linewidth=1.1)
        axes.text(
            1,
            floor + 0.012,
            f"noise floor, {floor:.3f} nats",
            color=ORANGE,
            fontsize=9,
            va="bottom",
        )
        kept = selector.get_support()
        passed = f"{kept[:N_SITES].sum()} sites and {kept[N_SITES:].sum()} shuffled columns pass fdr=0.05"
        axes.set_title(f"{n_samples:,} samples", fontsize=11)
        axes.text(
            0.98,
            0.97,
            passed,
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=9,
            color="0.3",
        )
        axes.set(
            xscale="log", xlabel=f"rank of {len(order):,} columns, best first", ylim=(-0.02, 1.3)
        )
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("nats")
    panels[1].legend(frameon=False, fontsize=9, loc="center right", handletextpad=0.1)
    finish(figure, output)


def expected(n):
    """Return what of so many p-values that are uniform is expected, as -log10, in rising order."""
    return -np.log10((np.arange(n, 0, -1) - 0.5) / n)


def finish(figure, output):
    """Write a picture that is the same in every run."""
    figure.tight_layout()
    figure.savefig(output, dpi=110, metadata={"Software": None})
    plt.close(figure)


def renewed(page):
    """Return the page with the tables, the figures of its sentences and the output of its code as they are now."""
    for part in (
        floors,
        permuted_ages,
        found_by_size,
        least_correlations,
        power,
        confounders,
        false_shares,
    ):
        head, *rest = part()
        old = re.escape(head) + r"\n(?: *\|.*\n)+"
        indent = re.search(rf"^( *){re.escape(head)}", page, re.MULTILINE)[1]
        page = put("\n".join([head, *(indent + line for line in rest)]) + "\n", old, page)
    for fact in facts():
        numbers = r"\\d+(?:\\.\\d+)?"
        page = put(fact, re.sub(r"\d+(?:\\\.\d+)?", numbers, re.escape(fact)), page)
    return with_output(page)


def with_output(page):
    """Run the code of the page, and put what each block prints into the block of text after it."""
    names, parts = {}, re.split(r"(^```\w*\n)", page, flags=re.MULTILINE)
    printed = ""
    with chdir(HERE.parents[1]):
        for i, fence in enumerate(parts):
            if fence == "```python\n":
                with redirect_stdout(StringIO()) as printed:
                    exec(parts[i + 1], names)
            if fence == "```text\n":
                parts[i + 1] = printed.getvalue()
    return "".join(parts)


def put(new, old, page):
    """Put something in the place of what looks like it, which is there once."""
    page, found = re.subn(old, lambda _: new, page)
    if found != 1:
        raise ValueError(f"{new!r} stands {found} times in the page. Write it there once.")
    return page


def main(folder=HERE):
    """Write the figures of the page anew, and draw."""
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
    draw_qq(folder / "significance_qq.png")
    draw_floor(folder / "significance_floor.png")


if __name__ == "__main__":
    main()
