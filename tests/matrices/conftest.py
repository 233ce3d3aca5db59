"""What is counted of the input of a matrix: neither counter replaces anything of the package."""

import os

import h5py
import pytest


@pytest.fixture
def opens(monkeypatch):
    """Record which HDF5 files are opened by their path."""
    paths, original = [], h5py.File.__init__

    def recording(self, name, *args, **options):
        if isinstance(name, str | os.PathLike):
            paths.append(os.fspath(name))
        original(self, name, *args, **options)

    monkeypatch.setattr(h5py.File, "__init__", recording)
    return paths


@pytest.fixture
def read_bytes(monkeypatch):
    """Record how many bytes are read, access by access, where values are read past h5py."""
    sizes, original = [], os.preadv

    def recording(descriptor, buffers, offset):
        got = original(descriptor, buffers, offset)
        sizes.append(got)
        return got

    monkeypatch.setattr(os, "preadv", recording)
    return sizes
