"""docs/api.md: every public name, with its signature and its first line as they are.

``python tests/test_api_page.py`` writes the page anew.
"""

import inspect
from pathlib import Path

import pytest

import skpar_select
from skpar_select import execution, scoring, sharding, tables, testing

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
TOP = """\
# Public names

Everything else, and every name that begins with an underscore, may change in any release.
"""
ROOMS = {
    skpar_select: (
        [name for name in skpar_select.__all__ if name != "__version__"],
        "What `from skpar_select import ...` gives. The whole of each, with parameters, errors and an "
        "example that runs, is in its docstring: `help(open_matrix)`.",
    ),
    tables: (
        ["Table", "aligned"],
        "The phenotype table that `align` and `read_targets` make of whatever holds one, and what `align` gives with "
        "strata and covariates beside the target.",
    ),
    scoring: (
        ["ProgressLine", "ProgressLog"],
        "What `verbose` of the selector takes besides a number.",
    ),
    sharding: (
        ["score_shard", "merge_shards"],
        "A fit in shards on machines that know nothing of each other: see [the command line](command_line.md#shards).",
    ),
    execution: (
        ["RayExecutor"],
        "What `executor` of the selector takes for Ray: see [clusters and pools](clusters.md).",
    ),
    testing: (
        testing.__all__,
        "Suites that a new matrix, scorer, executor or sink passes: see [design](design.md).",
    ),
}


def page():
    """The whole page."""
    rooms = [
        "\n".join(
            [f"## {room.__name__}\n", f"{what}\n"]
            + [entry(name, getattr(room, name)) for name in names]
        )
        for room, (names, what) in ROOMS.items()
    ]
    return "\n".join([TOP, *rooms])


def entry(name, thing):
    """The text of a function, or of a class and its public methods and properties."""
    lines = [f"### {name}", "", f"`{name}{signature(thing)}`", "", first_line(thing)]
    # The members of these are tests, or the contract of an executor.
    if inspect.isclass(thing) and name not in (*testing.__all__, "RayExecutor"):
        members = [
            (member, attribute)
            for member, attribute in vars(thing).items()
            if not member.startswith("_") and is_public(attribute)
        ]
        lines += [""] * bool(members)
        lines += [f"- `{member}{signature(held)}`: {first_line(held)}" for member, held in members]
    return "\n".join(lines) + "\n"


def is_public(attribute):
    kinds = inspect.isfunction, inspect.isdatadescriptor, lambda one: isinstance(one, classmethod)
    return any(kind(attribute) for kind in kinds) and bool(attribute.__doc__)


def signature(thing):
    if isinstance(thing, property) or (
        inspect.isclass(thing) and issubclass(thing, UserWarning | ValueError)
    ):
        return ""
    thing = thing.__func__ if isinstance(thing, classmethod) else thing
    found = inspect.signature(thing)
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in found.parameters.items()
        if name not in ("self", "cls", "clock")  # a clock is for tests
    ]
    return str(found.replace(parameters=shown, return_annotation=inspect.Signature.empty))


def first_line(thing):
    return " ".join(inspect.getdoc(thing).split("\n\n")[0].split())


@pytest.mark.parametrize(
    ("room", "name"),
    [(room, name) for room, (names, _) in ROOMS.items() for name in names],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_page__has_each_public_name_as_it_is(room, name):
    assert entry(name, getattr(room, name)) in PAGE.read_text(encoding="utf-8")


def test_page__has_nothing_else():
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
