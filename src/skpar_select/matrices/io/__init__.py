"""Bytes of files: snapshots, reads, filters, HDF5 handles, selections. Nothing here is a matrix."""
