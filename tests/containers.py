"""The same small matrix in files of every kind, written with h5py and NumPy alone."""

import itertools

import h5py
import numpy as np

N_SAMPLES, N_FEATURES = 19, 23

LAYOUTS = {
    "contiguous": {},
    "rows": {"chunks": (1, N_FEATURES), "compression": "gzip"},
    "row panels": {"chunks": (8, N_FEATURES), "compression": "lzf"},
    "squares": {"chunks": (5, 4), "compression": "gzip", "shuffle": True},
    "columns": {"chunks": (N_SAMPLES, 1), "fletcher32": True},
}
VIEWS = {
    "slice": np.s_[3:17],
    "steps": np.s_[1:18:3],
    "reversed": np.s_[::-1],
    "shuffled": np.random.default_rng(0).permutation(N_SAMPLES),
    "repeated": np.array([5, 5, 0, -1, 5, 18, 0]),
    "mask": np.arange(N_SAMPLES) % 3 == 0,
}
DTYPES = ["f2", "f4", "f8", ">f2", ">f4", ">f8", "i1", "u2", ">i4", "i8", "u8", "?"]


def values_of(dtype=np.float32):
    values = np.random.default_rng(3).normal(size=(N_SAMPLES, N_FEATURES)) * 50
    values[values < -40] = 0
    return values.astype(dtype)


def names_of(values):
    n_samples, n_features = values.shape
    return [f"s{i}" for i in range(n_samples)], [f"f{i}" for i in range(n_features)]


def write_hdf5(path, values, **options):
    samples, features = names_of(values)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, **options)
        file["samples"], file["features"] = samples, features
    return path


def write_transposed(path, values, **options):
    samples, features = names_of(values)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values.T, **options)
        file["samples"], file["features"] = samples, features
    return path


def write_npy(path, values):
    np.save(path, values)
    return path


def write_anndata(path, values, encoding="array", name="X", **options):
    """Write what anndata 0.12 writes, as far as it is read."""
    samples, features = names_of(values)
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"], file.attrs["encoding-version"] = "anndata", "0.1.0"
        for frame, index in (("obs", samples), ("var", features)):
            group = file.create_group(frame)
            group.attrs["encoding-type"], group.attrs["_index"] = "dataframe", "_index"
            group["_index"] = index
        if encoding == "array":
            file.create_dataset(name, data=values, **options)
        else:
            write_sparse(file.create_group(name), values, encoding, **options)
    return path


def write_by_anndata(path, values):
    import anndata
    import pandas

    samples, features = names_of(values)
    frames = {"obs": pandas.DataFrame(index=samples), "var": pandas.DataFrame(index=features)}
    anndata.AnnData(values.astype(values.dtype.newbyteorder("=")), **frames).write_h5ad(path)
    return path


def write_sparse(group, values, encoding, **options):
    lines = values if encoding == "csr_matrix" else values.T
    rows, places = np.nonzero(lines)
    group.attrs["encoding-type"] = encoding
    group.attrs["shape"] = values.shape
    group.create_dataset("data", data=lines[rows, places], **options)
    group.create_dataset("indices", data=places.astype(np.int32), **options)
    group["indptr"] = np.searchsorted(rows, np.arange(len(lines) + 1)).astype(np.int32)


def write_zarr(path, values, zipped=False, zarr_format=3, chunks=(7, 8), **options):
    import zarr

    samples, features = names_of(values)
    store = zarr.storage.ZipStore(path, mode="w") if zipped else zarr.storage.LocalStore(path)
    group = zarr.open_group(store, mode="w", zarr_format=zarr_format)
    group.create_array("data", data=values, chunks=chunks, **options)
    for name, texts in (("samples", samples), ("features", features)):
        array = group.create_array(name, shape=(len(texts),), dtype=str)
        array[:] = np.array(texts, dtype=object)
    store.close()
    return path


def write_parquet(path, values, rows=8, ids=True, parts=1, **options):
    """Write a table whose row groups have some rows; of several parts, a folder."""
    import pyarrow
    from pyarrow import parquet

    samples, features = names_of(values)
    values = values.astype(values.dtype.newbyteorder("="))
    columns = {name: pyarrow.array(values[:, j]) for j, name in enumerate(features)}
    table = pyarrow.table({"sample": samples, **columns} if ids else columns)
    if parts == 1:
        parquet.write_table(table, path, row_group_size=rows, **options)
        return path
    path.mkdir(exist_ok=True)
    edges = np.linspace(0, len(values), parts + 1).astype(int)
    for part, (start, stop) in enumerate(itertools.pairwise(edges)):
        some = table.slice(start, stop - start)
        parquet.write_table(some, path / f"part-{part}.parquet", row_group_size=rows, **options)
    return path


def write_hdfstore(path, values, blocks=1, key="frame"):
    """Write what pandas 2 writes by PyTables: columns by turns in one of the blocks."""
    samples, features = names_of(values)
    with h5py.File(path, "w") as file:
        file.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")
        group = file.create_group(key)
        group.attrs["pandas_type"] = np.bytes_("frame")
        group["axis0"] = np.array(features, dtype="S")
        group["axis1"] = np.array(samples, dtype="S")
        for block in range(blocks):
            group[f"block{block}_items"] = np.array(features[block::blocks], dtype="S")
            group[f"block{block}_values"] = values[:, block::blocks]
    return path


def write_wide(path, values, writer=write_hdf5, borders=(4, 9), shuffled=True, **options):
    """Write columns to several files, each with its rows in another order."""
    samples, features = names_of(values)
    paths = []
    edges = [0, *borders, values.shape[1]]
    for place, (start, stop) in enumerate(itertools.pairwise(edges)):
        order = np.arange(len(values))
        if shuffled and place:
            order = np.random.default_rng(place).permutation(order)
        part = path.with_name(f"{place}-{path.name}")
        writer(part, values[order, start:stop], **options)
        with h5py.File(part, "a") as file:
            del file["samples"], file["features"]
            file["samples"] = [samples[row] for row in order]
            file["features"] = features[start:stop]
        paths.append(part)
    return paths


TURNED = {"orientation": "features_by_samples"}
NAMED = {"feature_names": "auto", "sample_ids": "auto"}
GZIP = {"compression": "gzip", "shuffle": True}


def kinds():
    """Every kind of file: what writes it, with which options, and how it is opened."""
    return {
        "transposed": (write_transposed, {}, TURNED),
        "transposed gzip": (write_transposed, {"chunks": (4, 5), **GZIP}, TURNED),
        "transposed lzf": (write_transposed, {"chunks": (4, 5), "compression": "lzf"}, TURNED),
        "npy": (write_npy, {}, {}),
        "npy fortran": (lambda path, values: write_npy(path, np.asfortranarray(values)), {}, {}),
        "npy transposed": (lambda path, values: write_npy(path, values.T.copy()), {}, TURNED),
        "anndata dense": (write_anndata, {}, {}),
        "anndata layer": (write_anndata, {"name": "layers/raw"}, {"dataset": "layers/raw"}),
        "anndata csr": (write_anndata, {"encoding": "csr_matrix"}, {}),
        "anndata csc": (write_anndata, {"encoding": "csc_matrix"}, {}),
        "anndata csr gzip": (write_anndata, {"encoding": "csr_matrix", "chunks": (7,), **GZIP}, {}),
        "hdfstore": (write_hdfstore, {}, {}),
        "hdfstore blocks": (write_hdfstore, {"blocks": 3}, {}),
        "wide": (write_wide, {}, {}),
        "wide gzip": (write_wide, {"chunks": (5, 2), **GZIP}, {}),
        "wide lzf": (write_wide, {"chunks": (5, 2), "compression": "lzf"}, {}),
        "wide in order": (write_wide, {"shuffled": False, "borders": (11,)}, {}),
        "zarr": (write_zarr, {}, {}),
        "zarr shards": (write_zarr, {"chunks": (3, 4), "shards": (9, 8)}, {}),
        "zarr 2": (write_zarr, {"zarr_format": 2}, {}),
        "zarr zip": (write_zarr, {"zipped": True}, {}),
        "parquet": (write_parquet, {}, {}),
        "parquet folder": (write_parquet, {"parts": 3}, {}),
        "held h5py": (write_hdf5, {"chunks": (5, 4)}, {}),
        "held h5py transposed": (write_transposed, {}, TURNED),
        "held zarr": (write_zarr, {}, {}),
        "held anndata": (write_by_anndata, {}, {}),
        "held anndata in memory": (write_by_anndata, {}, {}),
        "held dask": (write_npy, {}, {}),
        "held dask transposed": (lambda path, values: write_npy(path, values.T.copy()), {}, TURNED),
    }


def held(kind, path):
    """Return the object of another library that holds a file's matrix."""
    if kind.startswith("held h5py"):
        return h5py.File(path, "r")["data"]
    if kind.startswith("held anndata"):
        import anndata

        return anndata.read_h5ad(path, backed=None if kind.endswith("memory") else "r")
    if kind == "held zarr":
        import zarr

        return zarr.open_array(path, path="data", mode="r")
    import dask.array

    return dask.array.from_array(np.load(path), chunks=(7, 8))


KINDS = kinds()


def opened(kind, folder, values, **options):
    """Write a matrix as a kind of file, and open it."""
    from skpar_select import open_matrix

    write, written, how = KINDS[kind]
    nameless = write is write_npy or kind.startswith(("npy", "held dask"))
    path = write(folder / ("matrix.npy" if nameless else "matrix.h5"), values, **written)
    given = NAMED
    if nameless:
        samples, features = names_of(values)
        given = {"feature_names": features, "sample_ids": samples}
    source = held(kind, path) if kind.startswith("held") else path
    return open_matrix(source, **{**given, **how, **options})


def hide(file, folder, kind, name, length=12, dtype="S2"):
    """Make a dataset of which HDF5 reads what is not in the file."""
    (folder / "secret.txt").write_bytes(bytes(range(65, 65 + 2 * length)))
    with h5py.File(folder / "other.h5", "w") as other:
        other["ids"] = np.zeros(length, dtype)
    if kind == "external storage":
        raw = [(str(folder / "secret.txt"), 0, 2 * length)]
        file.create_dataset(name, (length,), dtype, external=raw)
    elif kind == "external link":
        file[name] = h5py.ExternalLink("other.h5", "ids")
    elif kind == "link over a link":
        file["far"] = h5py.ExternalLink("other.h5", "/")
        file[name] = h5py.SoftLink("/far/ids")
    elif kind == "virtual":
        layout = h5py.VirtualLayout((length,), dtype)
        layout[:] = h5py.VirtualSource(folder / "other.h5", "ids", (length,))
        file.create_virtual_dataset(name, layout)
    else:
        file.create_dataset(name, (length,), dtype, chunks=(2,) if kind == "no chunk" else None)


HIDDEN = {
    "external storage": r"keeps its values in another file, '.*secret\.txt'",
    "external link": r"is a link to another file, 'other\.h5'",
    "link over a link": r"is a link to another file, 'other\.h5'",
    "virtual": "is a virtual dataset",
    "never written": "1 of 1 chunks were never written",
    "no chunk": "6 of 6 chunks were never written",
}
"""What is said of each kind that :func:`hide` makes."""
