"""Draw rank_tile.png, the picture of docs/kernel.md: one tile in rank space and what it is compared with.

Does what kernels/src/kraskov_ranks.hpp does, for one tile:

python docs/images/rank_tile.py
"""

from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

OUTPUT = Path(__file__).with_suffix(".png")
N, TILE, BATCH, NEIGHBORS = 2048, 32, 6, 3
HEIGHT = 128  # the power of two nearest to sqrt(TILE / 4 * N)
BAND, WHICH = 7, 2  # the third tile of the eighth band


def points():
    """Return the ranks of two correlated columns, in the order of the first."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=N)
    y = 0.5 * x + rng.normal(size=N)
    return np.arange(N), y[np.argsort(x)].argsort().argsort()


def entry_of(tile):
    """Return where the tile enters other bands: the row of the table for its middle point."""
    return tile[TILE // 2] // 16 * 16


def search(column, target):
    """Search for the neighbours of one tile; return its points, their radii and the candidates."""
    tile = np.flatnonzero(target // HEIGHT == BAND)[WHICH * TILE : (WHICH + 1) * TILE]
    seen = list(tile)

    def distances(candidates):
        return np.maximum(
            abs(column[tile, np.newaxis] - column[candidates]),
            abs(target[tile, np.newaxis] - target[candidates]),
        )

    def radii():
        return np.sort(distances(np.array(seen)), axis=1)[:, NEIGHBORS]  # the point itself is first

    def scan(candidates, offset):
        """Take candidates in batches while one may be near; the look is one batch ahead."""
        more = len(candidates) > 0 and offset(candidates[0])
        while more and len(candidates):
            batch, candidates = candidates[:BATCH], candidates[BATCH:]
            more = len(candidates) > 0 and offset(candidates[0])
            seen.extend(batch)

    def scan_band(band, left_of, right_from):
        members = np.flatnonzero(target // HEIGHT == band)
        right, left = members[members >= right_from], members[members < left_of][::-1]
        scan(right, lambda i: (column[i] - column[tile] < radii()).any())
        scan(left, lambda i: (column[tile] - column[i] < radii()).any())

    scan_band(BAND, tile[0], tile[-1] + 1)
    entry = entry_of(tile)
    for band in range(BAND + 1, N // HEIGHT):
        if not (band * HEIGHT - target[tile] < radii()).any():
            break
        scan_band(band, entry, entry)
    for band in range(BAND - 1, -1, -1):
        if not (target[tile] - ((band + 1) * HEIGHT - 1) < radii()).any():
            break
        scan_band(band, entry, entry)
    return tile, radii(), np.array(seen[TILE:])


def main(output=OUTPUT):
    """Draw."""
    column, target = points()
    tile, radius, candidates = search(column, target)
    blue, orange, grey = "#1f5fa8", "#d9720b", "#b4b4b4"
    figure, axes = plt.subplots(figsize=(8.5, 7.2))
    axes.hlines(np.arange(HEIGHT, N, HEIGHT) - 0.5, 0, N, color="0.75", linewidth=0.8, zorder=0)
    squares = [
        Rectangle((column[i] - r, target[i] - r), 2 * r, 2 * r)
        for i, r in zip(tile, radius, strict=True)
    ]
    axes.add_collection(PatchCollection(squares, facecolor="#d5e3f4", edgecolor="none", zorder=0.5))
    rest = np.setdiff1d(np.arange(N), [*tile, *candidates])
    for places, color, size, name in (
        (rest, grey, 5, "not looked at"),
        (candidates, orange, 14, "compared with the tile"),
        (tile, blue, 18, "the tile: 32 points"),
    ):
        label = f"{name} ({len(places)})" if places is not tile else name
        axes.scatter(column[places], target[places], s=size, color=color, linewidth=0, label=label)
    axes.scatter([], [], s=90, marker="s", color="#d5e3f4", label="as far as the third neighbours")
    entry = column[entry_of(tile)]
    axes.axvline(entry, color=blue, linewidth=0.9, linestyle=":", zorder=0.6)
    axes.text(entry - 6, N + 6, "entry", color=blue, fontsize=10, ha="center")
    for band in range(N // HEIGHT):
        axes.text(N + 12, (band + 0.5) * HEIGHT, f"band {band}", va="center", fontsize=8)
    axes.set(xlim=(0, N), ylim=(0, N), aspect="equal")
    axes.set(xlabel="rank of the column", ylabel="rank of the target")
    axes.set_xticks(range(0, N + 1, 2 * HEIGHT))
    axes.set_yticks(range(0, N + 1, 2 * HEIGHT))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="lower center", ncols=4, frameon=False, fontsize=9, handletextpad=0.1)
    figure.tight_layout(rect=(0, 0.04, 1, 1))
    figure.savefig(output, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
