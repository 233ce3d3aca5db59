"""Hold the predicted p-values of scores against fresh draws: predicted over true p at each level.

    python benchmarks/null_tail.py 300 3 --draws 10_000_000      # 2 minutes of one core
    python benchmarks/null_tail.py 210,90 10 --draws 1_000_000   # two classes of these sizes

The true p of a score is the share of the draws that reach it; the scores are those that a share of 1e-2,
1e-3, ... of the draws reach. In parentheses the standard error that the true p has.
"""

import argparse

import numpy as np
from null_draws import kraskov_draws, ross_draws

from skpar_select.significance import kraskov_moments, log_upper_tail, ross_moments

LEVELS = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "samples", help="their number, or the sizes of the classes with commas between"
    )
    parser.add_argument("n_neighbors", type=int)
    parser.add_argument("--draws", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=2, help="the table was made with 1")
    arguments = parser.parse_args()
    sizes = tuple(map(int, arguments.samples.split(",")))
    k, n_draws, seed = arguments.n_neighbors, arguments.draws, (arguments.seed, *sizes, 0)
    if len(sizes) == 1:
        blocks = kraskov_draws(sizes[0], k, n_draws, seed=(*seed, k))
        moments = kraskov_moments(np.array(sizes[0]), k)
    else:
        blocks = ross_draws(sizes, k, n_draws, seed=(*seed, k))
        moments = ross_moments(np.array([sizes]), k)
    scores = np.sort(np.concatenate([block.astype(np.float32) for block in blocks]))[::-1]
    text = [f"{arguments.samples} samples, {k} neighbours, {n_draws:,} draws:"]
    for level in LEVELS:
        rank = round(level * n_draws)
        if rank < 5:
            break
        score = scores[rank - 1].astype(float)
        predicted = float(np.exp(log_upper_tail(score, moments)).item())
        text.append(f"  {level:g} at {score:.5f}: {predicted / level:.3f} ({rank**-0.5:.3f})")
    print("".join(text), flush=True)


if __name__ == "__main__":
    main()
