"""Do p-values and error rates hold? Simulations with a known answer, by whole fits of the selector.

Each part prints a table and a line with its verdict; a part that fails makes the script exit with 1.

    python benchmarks/error_rates.py                     # every part, 8,000 columns a case
    python benchmarks/error_rates.py --small             # does it work? some minutes
    python benchmarks/error_rates.py --parts fdp batch
"""

import argparse
import statistics
import sys
import time
import warnings
from pathlib import Path

import columns
import numpy as np
from null_problems import BATCHES, DEPENDENCES, batch_problem, gaps, mixed_problem
from scipy.stats import kstest
from timing import machine, print_table
from uniformity import classes, pvalues, tables, uniformity, verdict, with_gaps

from skpar_select import ParallelMutualInfoSelector


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--columns", type=int, default=8000, help="of each case")
    parser.add_argument("--data", type=Path, default=columns.DATA, help="the real methylomes")
    parser.add_argument("--small", action="store_true", help="few columns and cases")
    options = parser.parse_args()
    columns.DATA = options.data
    if options.small:
        options.columns = min(options.columns, 1000)
    print(machine())
    verdicts = {}
    for part in options.parts:
        start = time.perf_counter()
        verdicts[part] = PARTS[part](options)
        print(f"\n{part}: {verdicts[part]} ({time.perf_counter() - start:.0f} s)", flush=True)
    sys.exit(any(not verdict.startswith("holds") for verdict in verdicts.values()))


FDP_TESTS = {
    "3 neighbours": {"test_neighbors": 3},
    "10 neighbours": {"test_neighbors": 10},
    "auto": {},
    "3, combined": {"test_neighbors": 3, "test": "combined"},
    "auto, combined": {"test": "combined"},
}


def fdp(options):
    """Count the false discoveries among 2,000 correlated columns with 200 signals, at q = .1."""
    n_repeats = 5 if options.small else 50
    shares = {(name, method): [] for name in FDP_TESTS for method in ("bh", "by")}
    power = {case: [] for case in shares}
    for repeat in range(n_repeats):
        X, y, signal = mixed_problem(np.random.default_rng([6, repeat]), 300)
        for name, how in FDP_TESTS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                selector = ParallelMutualInfoSelector(fdr=0.1, random_state=repeat, **how).fit(X, y)
                for method in ("bh", "by"):
                    kept = selector.set_params(fdr_method=method).get_support()
                    shares[name, method].append((kept & ~signal).sum() / max(1, kept.sum()))
                    power[name, method].append(kept[signal].mean())
    rows = []
    for case, of_repeats in shares.items():
        error = np.std(of_repeats, ddof=1) / np.sqrt(n_repeats)
        rows.append(
            [*case, f"{np.mean(of_repeats):.3f}", f"{error:.3f}", f"{np.mean(power[case]):.2f}"]
        )
    header = ["test", "rule", "false, mean", "standard error", "power"]
    print_table("False discoveries at q = .1", header, rows, f"300 samples, {n_repeats} repeats.")
    worst = max(map(np.mean, shares.values()))
    most = 0.15 if options.small else 0.12
    return verdict(worst <= most, f"mean share at most {worst:.3f} (at most {most})")


def real(options):
    """Test real methylomes with their ages in random order."""
    X, ages = columns.real_matrix()
    n_permutations = 4 if options.small else 40
    rows, bulk = [], []
    for how in ({"test_neighbors": 3}, {"test_neighbors": 10}, {}, {"test": "combined"}):
        p = []
        for permutation in range(n_permutations):
            y = np.random.default_rng([7, permutation]).permutation(ages)
            p.append(pvalues(X, y, **how | {"random_state": permutation}))
        p = np.concatenate(p)
        bulk.append(np.mean(p < 0.01))
        shares = [f"{np.mean(p < a):.4f}" for a in (0.05, 0.01, 0.001)]
        rows.append([str(how or "default"), *shares, f"{p.min():.1e}"])
    header = ["test", "P(p<.05)", "P(p<.01)", "P(p<.001)", "least p"]
    note = f"{X.shape[1]} sites, {len(X)} samples, {n_permutations} permutations."
    print_table("Real methylomes, permuted ages", header, rows, note)
    # Columns that are alike share a permutation; twice the smaller of two p-values is conservative.
    holds = all(0.006 <= share <= 0.014 for share in bulk[:3]) and bulk[3] <= 0.014
    text = ", ".join(f"{share:.4f}" for share in bulk)
    return verdict(holds or options.small, f"P(p<.01) {text} (.006 to .014)")


def batch(options):
    """Let a batch drive columns and target, which else have nothing to do with each other."""
    n, n_features = 1000, options.columns
    rows, within, without = [], [], []

    def add(name, X, y, strata, **how):
        marginal = np.mean(pvalues(X[:, :500], y, **how) < 0.001)
        p = pvalues(X, y, strata=strata, **how)
        within.append(np.mean(p < 0.001))
        without.append(marginal)
        shares = [f"{np.mean(p < a):.4f}" for a in (0.05, 0.01, 0.001)]
        rows.append([name, f"{marginal:.3f}", *shares, f"{kstest(p, 'uniform').pvalue:.3f}"])

    for number, (name, of_batches) in enumerate(BATCHES.items()):
        for k in (3, 10):
            rng = np.random.default_rng([8, number, k])
            X, y, strata = batch_problem(rng, n, n_features, of_batches)
            add(f"{name}, k={k}", X, y, strata, test_neighbors=k)
            if k == 3:
                add(
                    f"{name}, 5 % gaps",
                    gaps(rng, X, 0.05),
                    y,
                    strata,
                    missing="omit",
                    test_neighbors=k,
                )
            kinds = np.digitize(y, np.quantile(y, [0.4, 0.8])).astype(float)
            add(
                f"{name}, 3 classes, k={k}",
                X,
                kinds,
                strata,
                task="classification",
                test_neighbors=k,
            )
            alleles = np.digitize(X, [1.5, 4.0]).astype(np.float32)
            add(
                f"{name}, discrete, k={k}",
                alleles,
                y,
                strata,
                discrete_features=True,
                test_neighbors=k,
            )
        X, y, strata = batch_problem(rng, n, n_features, of_batches, spreads=True)
        add(f"{name}, spread", X, y, strata, test_neighbors=3)
        both = {"task": "classification", "discrete_features": True}
        add(f"{name}, tables", alleles, kinds, strata, **both)
    header = ["case", "P(p<.001) without strata", "P(p<.05)", "P(p<.01)", "P(p<.001)", "KS p"]
    print_table("A batch drives both sides", header, rows, "The last four within strata.")
    worst, most = max(within), 0.003 if options.columns >= 8000 else 0.006
    outside = f"without {min(without):.2f} to {max(without):.2f}"
    text = f"P(p<.001) within strata at most {worst:.4f} (at most {most}), {outside}"
    return verdict(worst <= most, text)


def covariates(options):
    """Let a covariate drive columns and target, along a line or a parabola."""
    n, rows, splines = 1000, [], []
    for number, (name, drive) in enumerate(
        {"line": lambda z: z, "parabola": lambda z: z**2}.items()
    ):
        rng = np.random.default_rng([9, number])
        z = rng.standard_normal(n)
        y = drive(z) + rng.standard_normal(n)
        X = drive(z)[:, None] * rng.uniform(0.5, 1, options.columns)
        X += rng.standard_normal((n, options.columns))
        group = (rng.random(n) < 0.4).astype(int)
        shares = []
        for how in (
            {},
            {"covariates": z},
            {"covariates": z, "covariate_knots": 5},
            {"covariates": z, "covariate_knots": 5, "strata": group},
            {"covariates": z, "covariate_knots": 5, "test_neighbors": 3},
            {"covariates": z, "covariate_knots": 5, "test": "combined"},
        ):
            n_columns = options.columns if "covariate_knots" in how else 1000
            shares.append(np.mean(pvalues(X[:, :n_columns], y, **how) < 0.001))
        splines += shares[2:]
        rows.append([name, *(f"{share:.4f}" for share in shares)])
    kinds = ["unadjusted", "straight line", "splines", "in strata", "3 neighbours", "combined"]
    print_table(
        "A covariate drives both sides: P(p<.001)",
        ["confounding", *kinds],
        rows,
        "Splines of 5 knots from the third on.",
    )
    worst, most = max(splines), 0.003 if options.columns >= 8000 else 0.006
    return verdict(worst <= most, f"P(p<.001) with splines at most {worst:.4f} (at most {most})")


def cost(options):
    """Tell what a test adds to a fit, in time of the processor."""
    y, make = columns.real_problem()
    n_columns, n_rounds = (200, 3) if options.small else (2000, 9)
    quiet = {"k": "all", "random_state": 0, "n_jobs": 1}
    fits = {}
    for marginals in ("rank", "raw"):
        fits[marginals, "none"] = {"marginals": marginals}
        for k in (3, "auto"):
            fits[marginals, k] = {"marginals": marginals, "fdr": 0.05, "test_neighbors": k}
    seconds = {case: [] for case in fits}
    for number in range(n_rounds + 1):
        X = make(np.random.default_rng([10, number]), n_columns)
        for case, how in fits.items():
            selector = ParallelMutualInfoSelector(**quiet | how)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                start = time.process_time()
                selector.fit(X, y)
            if number:
                seconds[case].append(time.process_time() - start)
    medians = {case: statistics.median(times) for case, times in seconds.items()}
    rows, ratios = [], {}
    for (marginals, k), median in medians.items():
        of_rounds = np.array(seconds[marginals, k]) / seconds[marginals, "none"]
        ratios[marginals, k] = np.median(of_rounds)
        spread = f"{of_rounds.min():.2f} to {of_rounds.max():.2f}"
        rows.append(
            [
                marginals,
                str(k),
                f"{1000 * median / n_columns:.3f}",
                f"{ratios[marginals, k]:.3f}",
                spread,
            ]
        )
    note = f"{len(y)} samples, {n_columns} columns as tied as real ones, {n_rounds} rounds in turn."
    header = ["scores of", "test_neighbors", "ms a column", "over none", "rounds"]
    print_table("What a test costs", header, rows, note)
    rank, raw = ratios["rank", 3], ratios["raw", 3]
    holds = rank <= 1.05 and raw <= 1.7
    return verdict(
        holds or options.small, f"rank {rank:.3f} (at most 1.05), raw {raw:.2f} (at most 1.7)"
    )


def power(options):
    """Tell how often a dependence is found at p < 1e-6."""
    n, n_columns = 1000, 100 if options.small else 400
    kinds = {f"{k} neighbours": {"test_neighbors": k} for k in (3, 10, 30)}
    kinds["auto, combined"] = {"test": "combined"}
    kinds["3, combined"] = {"test": "combined", "test_neighbors": 3}
    rows = []
    for number, (name, draw) in enumerate(DEPENDENCES.items()):
        rng = np.random.default_rng([11, number])
        y = rng.standard_normal(n)
        target = np.floor(12 * y + 50) if "decimals" in name else y
        X = np.column_stack([draw(rng, y) for _ in range(n_columns)])
        found = [np.mean(pvalues(X, target, **how) < 1e-6) for how in kinds.values()]
        rows.append([name, *(f"{share:.2f}" for share in found)])
    print_table(
        "Power at p < 1e-6", ["dependence", *kinds], rows, f"{n} samples, {n_columns} columns each."
    )
    return verdict(set(rows[-1][1:]) == {"0.00"}, "nothing is found where nothing is")


PARTS = {
    "uniformity": uniformity,
    "classes": classes,
    "tables": tables,
    "gaps": with_gaps,
    "fdp": fdp,
    "real": real,
    "batch": batch,
    "covariates": covariates,
    "cost": cost,
    "power": power,
}

if __name__ == "__main__":
    main()
