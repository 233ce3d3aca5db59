"""Make the table of Kraskov's estimate when nothing is there, src/skpar_select/significance/kraskov_null.npz.

    python benchmarks/tabulate_null.py sample cells.csv [--part 0/2]    # 50 minutes of one core; goes on
    python benchmarks/tabulate_null.py fit cells.csv                    # seconds

The statistic is the package's own score of a random column, in rank space and not clipped. It depends on
the numbers of samples n and neighbours k alone. Of each cell (n, k) the sums of the first six powers of
its draws are kept, on a line of a CSV: the six give the first three moments and their errors.

What is tabulated varies slowly: sqrt(n) times the mean, n times the variance, sqrt(n) times the skewness,
and n times what the kurtosis has beyond a gamma's.
But as far as a tenth of the samples are neighbours it does not: the windows of whole ranks fit in or do not,
and the moments go up and down with n/k by a tenth and more. So there are three kinds of cells:

- n below 80: every n and every k, 50,000 draws each, taken as they are;
- up to n = 10 k: sizes in steps of 5 %, 40,000 draws each, interpolated in k at each size;
- beyond: sizes in steps of 26 %, 16 numbers of neighbours, as many draws as 3 s give, up to 600,000. A
  smooth surface over log k and 1/sqrt(n) is laid through them, weighted by their errors, its stiffness by
  generalised cross-validation. It ends at 1/sqrt(n) = 0, so that a million samples need no draws.

Each cell has its own seed and number of draws, so that the table comes out the same.
"""

import argparse
import math
from pathlib import Path

import numpy as np
from null_draws import PowerSums, kraskov_draws
from scipy.interpolate import BSpline, PchipInterpolator

TABLE = Path(__file__).parents[1] / "src/skpar_select/significance/kraskov_null.npz"

MOST_NEIGHBORS = 64
NEIGHBORS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 30, 36, 48, 64]
NEIGHBORS_OF_STEEP = [*range(8, 20), *range(20, 40, 2), *range(40, 65, 3)]
FIRST_SMOOTH = 80
SIZES_OF_STEEP = sorted({round(FIRST_SMOOTH * 1.05**j) for j in range(43)})
SIZES = [round(FIRST_SMOOTH * 2 ** (j / 3)) for j in range(24)]
SIZES_OF_TABLE = [*(round(640 * 2 ** (j / 3)) for j in range(32)), 1_000_000]
STEEP = 0.1
"""Where so many of the samples are neighbours."""


def cells() -> list[tuple[int, int, int]]:
    """Return (n, k, number of draws) of all cells, quick ones and slow ones in turn."""
    dense = {
        (n, k): 50_000 for n in range(2, FIRST_SMOOTH) for k in range(1, min(n, MOST_NEIGHBORS + 1))
    }
    smooth = {(n, k): draws_in(3.0, n, k) for n in SIZES for k in NEIGHBORS}
    steep = {
        (n, k): 40_000
        for n in SIZES_OF_STEEP
        for k in NEIGHBORS_OF_STEEP
        if 0.9 * STEEP * n < k < n
    }
    listed = [(n, k, n_draws) for (n, k), n_draws in (dense | steep | smooth).items()]
    return [listed[i] for i in np.random.default_rng(1).permutation(len(listed))]


def draws_in(seconds: float, n: int, k: int) -> int:
    return min(600_000, int(seconds * 1e9 / (n * (28 + 2.2 * k))))


def sample(path: Path, part: int, n_parts: int) -> None:
    """Append the cells that the file lacks."""
    done = {tuple(map(int, row[:2])) for row in read(path)} if path.exists() else set()
    with path.open("a") as file:
        for n, k, n_draws in cells()[part::n_parts]:
            if (k, n) in done:
                continue
            sums = PowerSums()
            for scores in kraskov_draws(n, k, n_draws, seed=(1, n, k)):
                sums.add(scores)
            print(k, n, sums.n_draws, *sums.sums.tolist(), sep=",", file=file, flush=True)


def read(path: Path) -> np.ndarray:
    """Return the cells of a file, each once; a line that was cut off is left out."""
    lines = (line.split(",") for line in path.read_text().splitlines())
    rows = np.array([list(map(float, line)) for line in lines if len(line) == 9]).reshape(-1, 9)
    return rows[np.unique(rows[:, :2], axis=0, return_index=True)[1]]


def fit(path: Path) -> None:
    """Lay the surfaces through the cells, say how well they fit, and write the table."""
    rows = read(path)
    k, n = rows[:, 0].astype(int), rows[:, 1].astype(int)
    values, errors = scaled_moments(rows)
    sizes = np.array([*range(2, FIRST_SMOOTH), *SIZES_OF_STEEP, *SIZES_OF_TABLE])
    scaled = np.full((4, MOST_NEIGHBORS, len(sizes)), np.nan)
    column_of = {size: column for column, size in enumerate(sizes)}
    for cell in np.flatnonzero(n < FIRST_SMOOTH):
        scaled[:, k[cell] - 1, column_of[n[cell]]] = values[:, cell]
    values, errors, k, n = (cell[..., n >= FIRST_SMOOTH] for cell in (values, errors, k, n))
    every_k = np.arange(1, MOST_NEIGHBORS + 1)
    large = sizes >= FIRST_SMOOTH
    of_surface = k < 1.3 * STEEP * n
    for moment, name in enumerate(("mean", "variance", "skewness", "excess")):
        # The variance in logarithms, the mean in standard deviations: both level.
        value, error = values[moment], errors[moment]
        if moment == 0:
            value, error = value / np.sqrt(values[1]), error / np.sqrt(values[1])
        elif moment == 1:
            value, error = np.log(values[1]), error / values[1]
        surface = Surface(k[of_surface], n[of_surface], value[of_surface], error[of_surface])
        print(f"{name}: {surface}")
        grid_k, grid_n = np.meshgrid(every_k, sizes[large], indexing="ij")
        on_grid = surface(grid_k.ravel(), grid_n.ravel()).reshape(grid_k.shape)
        for column, size in enumerate(sizes[large]):
            steep = (n == size) & (k > 0.9 * STEEP * size) & np.isin(k, NEIGHBORS_OF_STEEP)
            if steep.sum() < 2:
                continue
            own = np.argsort(k[steep])
            through = PchipInterpolator(k[steep][own], value[steep][own], extrapolate=True)
            replaced = every_k > STEEP * size
            on_grid[replaced, column] = through(every_k[replaced])
        scaled[moment][:, large] = on_grid
    scaled[1][:, large] = np.exp(scaled[1][:, large])
    scaled[0][:, large] *= np.sqrt(scaled[1][:, large])
    # Four digits are more than the draws tell, and the file is half as large.
    digits = 10.0 ** (3 - np.floor(np.log10(np.maximum(np.abs(scaled), 1e-6))))
    scaled = np.round(scaled * digits) / digits
    np.savez_compressed(TABLE, n_samples=sizes.astype(np.int32), scaled=scaled.astype(np.float32))
    print(f"{TABLE}: {TABLE.stat().st_size} bytes")


def scaled_moments(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is tabulated, and its standard errors, each of shape (4, n_cells)."""
    n, n_draws = rows[:, 1], rows[:, 2]
    raw = [np.ones(len(rows)), *(rows[:, 3:] / n_draws[:, None]).T]
    mean = raw[1]
    central = [
        sum(math.comb(power, j) * raw[j] * (-mean) ** (power - j) for j in range(power + 1))
        for power in range(7)
    ]
    variance = np.maximum(central[2], 0.0)
    certain = variance < 1e-20
    sd = np.sqrt(np.where(certain, 1.0, variance))
    m3, m4, m5, m6 = (np.where(certain, 0.0, central[i] / sd**i) for i in range(3, 7))
    of_skewness = m6 - 6 * m4 + 9 - m3**2 - 3 * m3 * (m5 - 4 * m3) + 2.25 * m3**2 * (m4 - 1)
    excess = np.where(certain, 0.0, m4 - 3 - 1.5 * m3**2)
    variance = np.where(certain, 0.0, variance)
    values = np.array([np.sqrt(n) * mean, n * variance, np.sqrt(n) * m3, n * excess])
    of_variance = (n * variance) ** 2 * np.maximum(m4 - 1, 0)
    of_excess = (
        24.0 * (np.maximum(m4, 3.0) - 2.0) ** 3
    )  # a normal's is 24; it steers the weights alone
    squares = np.array([n * variance, of_variance, n * of_skewness, n**2 * of_excess])
    return values, np.sqrt(np.maximum(squares, 0) / n_draws)


class Surface:
    """A smooth function of log k and 1/sqrt(n): cubic splines, with a penalty on their third differences."""

    SHAPE = (11, 8)

    def __init__(self, k, n, values, errors):
        rows = self._basis(k, n) / errors[:, None]
        aims = values / errors
        penalties = [
            np.kron(np.diff(np.eye(self.SHAPE[0]), 3, axis=0), np.eye(self.SHAPE[1])),
            np.kron(np.eye(self.SHAPE[0]), np.diff(np.eye(self.SHAPE[1]), 3, axis=0)),
        ]
        normal, right = rows.T @ rows, rows.T @ aims
        best = np.inf
        for along_k in 10.0 ** np.arange(-4, 7):
            for along_n in 10.0 ** np.arange(-4, 7):
                stiff = (
                    along_k * penalties[0].T @ penalties[0]
                    + along_n * penalties[1].T @ penalties[1]
                )
                inverse = np.linalg.inv(normal + stiff + 1e-10 * np.eye(len(normal)))
                coefficients = inverse @ right
                freedom = np.trace(inverse @ normal)
                residuals = rows @ coefficients - aims
                criterion = (residuals @ residuals) / (len(aims) - freedom) ** 2
                if criterion < best:
                    best, self.coefficients = criterion, coefficients
                    self.freedom, self.residuals = freedom, residuals

    def __call__(self, k, n):
        return self._basis(k, n) @ self.coefficients

    def __str__(self):
        chi2 = self.residuals @ self.residuals
        return (
            f"{len(self.residuals)} cells, {self.freedom:.0f} parameters, chi2 {chi2:.0f}, "
            f"largest residual {np.abs(self.residuals).max():.1f} standard errors"
        )

    def _basis(self, k, n):
        of_k = self._splines(np.log(k), np.log(MOST_NEIGHBORS), self.SHAPE[0])
        of_n = self._splines(np.asarray(n) ** -0.5, FIRST_SMOOTH**-0.5, self.SHAPE[1])
        return (of_k[:, :, None] * of_n[:, None, :]).reshape(len(of_k), -1)

    @staticmethod
    def _splines(x, end, n_splines):
        knots = np.concatenate([[0.0] * 3, np.linspace(0.0, end, n_splines - 2), [end] * 3])
        return BSpline.design_matrix(np.clip(x, 0.0, end), knots, 3).toarray()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    sampling = commands.add_parser("sample")
    sampling.add_argument("cells", type=Path)
    sampling.add_argument(
        "--part", default="0/1", help="which of how many processes this is, each with its file"
    )
    fitting = commands.add_parser("fit")
    fitting.add_argument("cells", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "sample":
        part, n_parts = map(int, arguments.part.split("/"))
        sample(arguments.cells, part, n_parts)
    else:
        fit(arguments.cells)


if __name__ == "__main__":
    main()
