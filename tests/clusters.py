"""Clusters of one machine, for the tests of engines."""

import os
import sys
from contextlib import contextmanager

import pytest

# Dask's own threads and sockets outlive a cluster by a moment.
in_dask = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@contextmanager
def dask_client(n_workers=2, **config):
    """A client of a Dask cluster of processes, of one thread each, which find the modules of the tests."""
    distributed = pytest.importorskip("distributed")
    import dask

    with pytest.MonkeyPatch.context() as environment, dask.config.set(config):
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        options = {"threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
        try:
            cluster = distributed.LocalCluster(n_workers=n_workers, **options)
        except RuntimeError:
            # On a busy machine a worker of Dask's does not start now and then.
            cluster = distributed.LocalCluster(n_workers=n_workers, **options)
        with cluster, distributed.Client(cluster) as client:
            yield client
