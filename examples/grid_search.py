"""The number of sites that a linear model of age needs.

The selector stands in the pipeline, so that every fold of the cross-validation chooses its sites on its own
training part. The matrix stays lazy: model selection slices its rows, and each fold reads what it needs.
"""

from pathlib import Path

from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skpar_select import ParallelMutualInfoSelector, open_matrix, read_targets

DATA = Path(__file__).parent / "data"
ROWS = slice(0, 1000)  # enough to see the effect within seconds


def main() -> GridSearchCV:
    """Search over k and print the error of each."""
    X = open_matrix(DATA / "blood_methylation.h5")
    age = read_targets(DATA / "trainmap.csv", "age", sample_ids=X.sample_ids)

    model = Pipeline(
        [
            ("select", ParallelMutualInfoSelector(random_state=0)),
            ("scale", StandardScaler()),
            ("predict", Ridge()),
        ]
    )
    search = GridSearchCV(
        model, {"select__k": [1, 5, 20, "all"]}, scoring="neg_mean_absolute_error", cv=3
    ).fit(X[ROWS], age[ROWS])

    print("sites  mean absolute error (years)")
    for params, error in zip(
        search.cv_results_["params"], -search.cv_results_["mean_test_score"], strict=True
    ):
        print(f"{params['select__k']:>5}  {error:.2f}")
    return search


if __name__ == "__main__":
    main()
