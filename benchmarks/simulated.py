"""Simulated methylation sites around real ones, any rectangle of them alone.

Values are drawn by tiles of 128 samples x 4,096 sites, each from a generator keyed by (seed, tile).
The same seed therefore gives the same matrix in every layout, and fewer samples are its first rows.
"""

from pathlib import Path

import h5py
import numpy as np
from scipy.special import betaincinv

REAL = Path(__file__).parents[1] / "examples" / "data"
TILE = (128, 4096)

# Quantile tables of sites: one lookup of a table costs a twentieth of drawing from a beta.
N_KINDS = 128
N_QUANTILES = 4096


class SimulatedMatrix:
    """Real samples with their 71 real sites, scattered among simulated ones.

    Parameters
    ----------
    n_samples : int
        The first of the real samples, 8,085 at the most.
    n_features : int
        Real and simulated sites together.
    seed : int
        Of the values, and of the places of the real sites.
    """

    def __init__(self, n_samples, n_features, seed):
        with h5py.File(REAL / "blood_methylation.h5") as file:
            self.real = file["data"][:n_samples]
            names = file["features"].asstr()[:]
            self.samples = file["samples"].asstr()[:n_samples]
            most = file["data"].shape
        if not 0 < n_samples <= most[0] or n_features < most[1]:
            raise ValueError(
                f"{n_samples} x {n_features} is not possible: there are 1 to {most[0]} real "
                f"samples, and {most[1]} sites at the least. Choose --samples and --features so."
            )
        self.shape = (n_samples, n_features)
        self.seed = seed
        rng = np.random.default_rng([seed, 0])
        self.places = rng.choice(n_features, len(names), replace=False)
        self.kinds = rng.integers(0, N_KINDS, n_features).astype(np.int32) * N_QUANTILES
        self.tables = _tables(rng)
        self.features = np.array([f"sim{i:07d}" for i in range(n_features)], dtype="S10")
        self.features[self.places] = names

    @property
    def sites(self):
        """Column of each real site, by its name."""
        return {self.features[place].decode(): int(place) for place in self.places}

    def values(self, rows, columns):
        """Give a rectangle as float32, which every value is exactly, as it is of float16."""
        out = np.empty((rows.stop - rows.start, columns.stop - columns.start), dtype=np.float32)
        for band in range(rows.start // TILE[0], -(-rows.stop // TILE[0])):
            for panel in range(columns.start // TILE[1], -(-columns.stop // TILE[1])):
                self._fill(band, panel, rows, columns, out)
        for site in np.flatnonzero((self.places >= columns.start) & (self.places < columns.stop)):
            out[:, self.places[site] - columns.start] = self.real[rows, site]
        return out

    def _fill(self, band, panel, rows, columns, out):
        stretches = []
        for tile, length, whole in zip((band, panel), TILE, (rows, columns), strict=True):
            first = max(whole.start, tile * length)
            stretches.append(slice(first, min(whole.stop, (tile + 1) * length)))
        down, across = stretches
        bytes_ = np.random.default_rng([self.seed, 1, band, panel]).bytes(2 * TILE[0] * TILE[1])
        draws = np.frombuffer(bytes_, np.uint16).reshape(TILE)
        draws = draws[
            down.start % TILE[0] : (down.stop - 1) % TILE[0] + 1,
            across.start % TILE[1] : (across.stop - 1) % TILE[1] + 1,
        ]
        index = (draws & (N_QUANTILES - 1)) + self.kinds[across]
        block = out[
            down.start - rows.start : down.stop - rows.start,
            across.start - columns.start : across.stop - columns.start,
        ]
        block[...] = self.tables[index]


def _tables(rng):
    """Quantiles of sites: most are unmethylated or methylated in nearly everyone, some differ."""
    levels = np.array([0.04, 0.5, 0.92])
    level = levels[rng.choice(3, N_KINDS, p=[0.4, 0.15, 0.45])] + rng.normal(0, 0.03, N_KINDS)
    level = np.clip(level, 0.01, 0.99)[:, None]
    spread = rng.uniform(20, 200, N_KINDS)[:, None]
    quantiles = (np.arange(N_QUANTILES) + 0.5) / N_QUANTILES
    tables = betaincinv(level * spread, (1 - level) * spread, quantiles)
    # A tenth of the sites lie at a variant: a quarter of the people have another level.
    variant = rng.choice(N_KINDS, N_KINDS // 10, replace=False)
    tables[variant, ::4] = 1 - tables[variant, ::4]
    return tables.astype(np.float16).astype(np.float32).ravel()
