"""Small sound files of every container that is read, and which of their bytes no checksum covers."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass, field

import h5py
import hdf5plugin
import numpy as np
from containers import (
    write_anndata,
    write_hdfstore,
    write_npy,
    write_parquet,
    write_transposed,
    write_wide,
    write_zarr,
)

from skpar_select import ParallelMutualInfoSelector, open_matrix, read_targets

N_SAMPLES, N_FEATURES = 24, 18
TALL, SQUARE, ROWS = (N_SAMPLES, 4), (7, 5), (5, N_FEATURES)
NAMED = {"feature_names": "auto", "sample_ids": "auto", "n_samples": N_SAMPLES}
TURNED = {**NAMED, "orientation": "features_by_samples"}
OLD, NEW = "earliest", "latest"
ZSTD = dict(hdf5plugin.Zstd())


def values_of(dtype="f4"):
    """The values of every seed: each column tells something else of the target."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(N_SAMPLES, N_FEATURES)) * 30
    values[:, ::2] += np.arange(N_SAMPLES)[:, np.newaxis] * rng.uniform(0, 5, N_FEATURES // 2)
    return values.astype(dtype)


def target():
    return np.arange(float(N_SAMPLES)) ** 1.5


def fit(matrix):
    """Score a matrix, and make all else of it that a user asks for; return the scores."""
    # A column of a sparse file would be taken for classes, which hardly feel another value.
    how = {"discrete_features": False, "random_state": 0, "memory_budget": "50MB", "n_jobs": 1}
    selector = ParallelMutualInfoSelector(k=3, **how)
    selector.fit(matrix, target())
    selector.transform(matrix)
    selector.get_feature_names_out()
    return selector.scores_


def open_and_fit(path, how):
    matrix = open_matrix(path, **how)
    assert matrix.sample_ids is None or len(matrix.sample_ids) == matrix.shape[0]
    return fit(matrix)


@dataclass
class Seed:
    """A container: how its file is written, read, and what in it is under no checksum."""

    write: Callable
    """Writes it to a path; returns that, or a list of paths."""

    use: Callable = open_and_fit
    """What is done with it: gets the path, and `how`; returns an array."""

    how: dict = field(default_factory=lambda: NAMED)
    suffix: str = ".h5"
    bare: Callable = None
    """Tells for each byte of one of its files whether it is under no checksum; None means all."""

    held: Callable = None
    """Gives the values that the file holds as its bytes tell them, from where they begin."""


def bare_of_hdf5(path):
    """Tell the bytes of an HDF5 file that are under no checksum.

    Values are, where neither gzip, which has one inside, nor fletcher32 packs them. Descriptions are in
    the older format; of these, the places of chunks are told by the chunks themselves. Names are no
    values.
    """
    content = path.read_bytes()
    with h5py.File(path) as file:
        old = file.id.get_create_plist().get_version()[0] < 2
        bare = np.full(len(content), old)
        block = file.userblock_size
        spans = []

        def visit(name, node):
            if isinstance(node, h5py.Dataset):
                spans.append((node.dtype.kind in "fiub", _extents(node)))

        file.visititems(visit)
    bare[:block] = True  # which belongs to whoever wrote it
    for place in _places(content, b"TREE\1"):
        bare[place : place + 2048] = False
    for place in _places(content, b"GCOL"):
        size = int.from_bytes(content[place + 8 : place + 16], "little")
        bare[place : place + size] = False
    for is_number, (sealed, extents) in spans:
        for first, size in extents:
            bare[first : first + size] = is_number and not sealed
    return bare


def _extents(data):
    """Where the values of a dataset lie, and whether a checksum covers them."""
    if data.chunks is None:
        first = data.id.get_offset()
        return False, [] if first is None else [(first, data.id.get_storage_size())]
    chunks = map(data.id.get_chunk_info, range(data.id.get_num_chunks()))
    sealed = data.compression == "gzip" or data.fletcher32
    return sealed, [(chunk.byte_offset, chunk.size) for chunk in chunks]


def _places(content, mark):
    place = content.find(mark)
    while place >= 0:
        yield place
        place = content.find(mark, place + 1)


def held_by_hdf5(path):
    """Give what makes values of the bytes of a file whose values lie in one piece."""
    with h5py.File(path) as file:
        data = file["data"]
        return _held(data.id.get_offset(), data.dtype, "C")


def held_by_npy(path):
    values = np.load(path)
    order = "C" if values.flags.c_contiguous else "F"
    return _held(path.stat().st_size - values.nbytes, values.dtype, order)


def _held(first, dtype, order):
    stop = first + N_SAMPLES * N_FEATURES * dtype.itemsize

    def held(content):
        values = np.frombuffer(content[first:stop], dtype)
        return values.reshape((N_SAMPLES, N_FEATURES), order=order)

    return first, stop, held


def hdf5(version, dtype="f4", **options):
    """A plain HDF5 file, with names of variable length."""

    def write(path):
        samples, features = _names()
        with h5py.File(path, "w", libver=version) as file:
            file.create_dataset("data", data=values_of(dtype), **options)
            file["samples"], file["features"] = samples, features
        return path

    held = held_by_hdf5 if not options else None
    return Seed(write, bare=bare_of_hdf5, held=held)


def fixed_names(path):
    samples, features = (np.array(names, "S") for names in _names())
    with h5py.File(path, "w", libver=OLD) as file:
        file.create_dataset("data", data=values_of(), chunks=SQUARE, compression="gzip")
        file.create_dataset("samples", data=samples, chunks=(9,), compression="gzip")
        file["features"] = features
    return path


def user_block(path):
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("data", data=values_of(), chunks=TALL, compression="gzip")
        file["samples"], file["features"] = _names()
    return path


def made(write, **options):
    return lambda path: write(path, values_of(), **options)


def by_hdf5(write, how=None, **options):
    return Seed(made(write, **options), bare=bare_of_hdf5, how=how or NAMED)


def npy(order):
    values = np.asarray(values_of(), order=order)
    return Seed(
        lambda path: write_npy(path, values),
        how={"n_samples": N_SAMPLES},
        suffix=".npy",
        bare=lambda path: np.arange(path.stat().st_size) >= path.stat().st_size - values.nbytes,
        held=held_by_npy,
    )


def parquet(**options):
    return Seed(made(write_parquet, **options), suffix=".parquet")


def zarr(**options):
    return Seed(
        made(write_zarr, **options), suffix=".zarr.zip" if options.get("zipped") else ".zarr"
    )


def labels_file(path):
    """A text file of names beside a sound matrix."""
    write_npy(path.with_name("beside.npy"), values_of())
    path.write_text("".join(f"{name}\n" for name in _names()[1]))
    return path


def use_labels(path, how):
    return open_and_fit(path.with_name("beside.npy"), {"feature_names": path})


def table(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sample", "age", "note"])
        for name, age in zip(_names()[0], target(), strict=True):
            writer.writerow([name, age, f'of "{name}", \u00fc'])
    return path


def table_parquet(path):
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"sample": _names()[0], "age": target()}), path)
    return path


def table_hdf5(path):
    with h5py.File(path, "w") as file:
        file["sample"], file["age"] = _names()[0], target()
    return path


def use_table(path, how):
    return read_targets(path, "age", sample_ids=_names()[0])


def _names():
    return [f"s{i}" for i in range(N_SAMPLES)], [f"f{i}" for i in range(N_FEATURES)]


GZIP = {"compression": "gzip"}
SEEDS = {
    "hdf5 contiguous, old": hdf5(OLD),
    "hdf5 contiguous, new": hdf5(NEW),
    "hdf5 rows gzip": hdf5(OLD, chunks=ROWS, **GZIP),
    "hdf5 squares lzf shuffle fletcher32": hdf5(
        OLD, chunks=SQUARE, compression="lzf", shuffle=True, fletcher32=True
    ),
    "hdf5 squares lzf": hdf5(OLD, chunks=SQUARE, compression="lzf"),
    "hdf5 squares plain f2": hdf5(OLD, "f2", chunks=SQUARE),
    "hdf5 columns gzip": hdf5(OLD, chunks=TALL, **GZIP),
    "hdf5 columns gzip shuffle fletcher32, new": hdf5(
        NEW, chunks=TALL, shuffle=True, fletcher32=True, **GZIP
    ),
    "hdf5 rows plain fletcher32, new": hdf5(NEW, chunks=ROWS, fletcher32=True),
    "hdf5 big-endian f8 gzip": hdf5(OLD, ">f8", chunks=TALL, **GZIP),
    "hdf5 int16 shuffle gzip": hdf5(OLD, "i2", chunks=SQUARE, shuffle=True, **GZIP),
    "hdf5 zstd, old": hdf5(OLD, chunks=SQUARE, **ZSTD),
    "hdf5 zstd, new": hdf5(NEW, chunks=SQUARE, **ZSTD),
    "hdf5 zstd fletcher32, new": hdf5(NEW, chunks=SQUARE, fletcher32=True, **ZSTD),
    "hdf5 user block gzip": Seed(user_block, bare=bare_of_hdf5),
    "hdf5 names of fixed length": Seed(fixed_names, bare=bare_of_hdf5),
    "hdf5 features by samples gzip": by_hdf5(write_transposed, TURNED, chunks=(4, 5), **GZIP),
    "npy C": npy("C"),
    "npy F": npy("F"),
    "h5ad dense": by_hdf5(write_anndata),
    "h5ad dense gzip": by_hdf5(write_anndata, chunks=SQUARE, **GZIP),
    "h5ad csr": by_hdf5(write_anndata, encoding="csr_matrix"),
    "h5ad csr gzip": by_hdf5(write_anndata, encoding="csr_matrix", chunks=(50,), **GZIP),
    "h5ad csc": by_hdf5(write_anndata, encoding="csc_matrix"),
    "hdfstore, three blocks": by_hdf5(write_hdfstore, blocks=3),
    "parquet": parquet(),
    "parquet zstd": parquet(compression="zstd"),
    "parquet folder": parquet(parts=2),
    "zarr 3": zarr(),
    "zarr 3 shards": zarr(chunks=(6, 4), shards=(12, 8)),
    "zarr 2": zarr(zarr_format=2),
    "zarr zip": zarr(zipped=True),
    "two files": Seed(made(write_wide, borders=(7,), chunks=SQUARE, **GZIP)),
    "labels file": Seed(labels_file, use_labels, suffix=".txt"),
    "table csv": Seed(table, use_table, suffix=".csv"),
    "table csv.gz": Seed(table, use_table, suffix=".csv.gz"),
    "table parquet": Seed(table_parquet, use_table, suffix=".parquet"),
    "table hdf5": Seed(table_hdf5, use_table),
}  # fmt: skip
