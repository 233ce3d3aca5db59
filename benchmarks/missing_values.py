"""What becomes of a score when values are missing: left out, or filled in beforehand.

Two normal variables of correlation r, values missing at random; the mean score over repeats, in nats.

    python benchmarks/missing_values.py
"""

import argparse

import numpy as np

from skpar_select import ParallelMutualInfoSelector, mutual_info_regression


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=300)
    options = parser.parse_args()
    print("| r | missing | all there | missing='omit' | standard error | mean | -999 |")
    print("|---|---|---|---|---|---|---|")
    for r in (0.0, 0.5, 0.8):
        for share in (0.05, 0.2):
            numbers = " | ".join(f"{number:.4f}" for number in measure(r, share, options))
            print(f"| {r} | {share:.0%} | {numbers} |")


def measure(r, share, options):
    rng = np.random.default_rng(0)
    y = rng.normal(size=options.samples)
    noise = rng.normal(size=(options.samples, options.repeats))
    X = r * y[:, np.newaxis] + np.sqrt(1 - r**2) * noise
    gaps = rng.random(X.shape) < share
    full = mutual_info_regression(X, y, random_state=0)
    selector = ParallelMutualInfoSelector(missing="omit", random_state=0)
    omitted = selector.fit(np.where(gaps, np.nan, X), y).scores_
    means = np.where(gaps, np.nan, X)
    means = np.where(gaps, np.nanmean(means, axis=0), X)
    filled = [
        mutual_info_regression(values, y, random_state=0).mean()
        for values in (means, np.where(gaps, -999.0, X))
    ]
    difference = omitted - full
    error = difference.std() / np.sqrt(options.repeats)
    return full.mean(), omitted.mean(), error, *filled


if __name__ == "__main__":
    main()
