"""The sites of the methylome in blood that tell most about age.

Opens the matrix without loading it, joins the ages by sample id, scores every site, and prints the
best ones. Writes all scores to examples/output/scores.csv and the picture to examples/output/blood_age.png.
"""

import csv
from pathlib import Path

import numpy as np

from skpar_select import (
    MutualInfoDisplay,
    ParallelMutualInfoSelector,
    open_matrix,
    read_targets,
)

HERE = Path(__file__).parent
OUTPUT = HERE / "output"


def main() -> None:
    """Score, print, write."""
    X = open_matrix(HERE / "data" / "blood_methylation.h5")
    age = read_targets(HERE / "data" / "trainmap.csv", "age", sample_ids=X.sample_ids)

    selector = ParallelMutualInfoSelector(k=20, n_jobs=-1, random_state=0).fit(X, age)

    best = np.argsort(-selector.scores_)
    print(f"{X.shape[0]} samples, {X.shape[1]} sites; mutual information with age:\n")
    print("rank  site         nats")
    for rank, column in enumerate(best[:20], start=1):
        print(f"{rank:4}  {X.feature_names[column]}  {selector.scores_[column]:.3f}")

    OUTPUT.mkdir(exist_ok=True)
    with open(OUTPUT / "scores.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["site", "nats"])
        table.writerows((X.feature_names[column], selector.scores_[column]) for column in best)
    display = MutualInfoDisplay.from_estimator(selector)
    display.ax_.set_title("Blood methylation and age, 8,085 samples", loc="left")
    display.figure_.savefig(OUTPUT / "blood_age.png", dpi=120)
    print(f"\nAll scores: {OUTPUT / 'scores.csv'}\nPicture:    {OUTPUT / 'blood_age.png'}")


if __name__ == "__main__":
    main()
