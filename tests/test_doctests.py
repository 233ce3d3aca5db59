"""The examples in the docstrings of the installed package."""

import doctest
import importlib
import pkgutil

import pytest

import skpar_select

MODULES = [name for _, name, _ in pkgutil.walk_packages(skpar_select.__path__, "skpar_select.")]


@pytest.mark.parametrize("name", ["skpar_select", *MODULES])
def test_docstring__example_gives_what_it_shows(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_modules__are_all_found():
    assert "skpar_select._selector" in MODULES
