"""Targets from files: ``from skpar_select.targets import read_targets``."""

from skpar_select.tables import read_targets

__all__ = ["read_targets"]
