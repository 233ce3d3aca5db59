"""docs/api.md: every public name, with its signature and its first line as they are."""

import inspect
from pathlib import Path

import pytest

import skpar_select
from skpar_select import scoring, tables, testing

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
ROOMS = {
    "skpar_select": (skpar_select, [n for n in skpar_select.__all__ if n != "__version__"]),
    "skpar_select.tables": (tables, ["Table"]),
    "skpar_select.scoring": (scoring, ["ProgressLine", "ProgressLog"]),
    "skpar_select.testing": (testing, testing.__all__),  # their members are tests
}


def entry(name, thing):
    """The text of a function, or of a class and its public methods and properties."""
    lines = [f"### {name}", "", f"`{name}{signature(thing)}`", "", first_line(thing)]
    if inspect.isclass(thing) and name not in testing.__all__:
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
    ("room", "name"), [(room, name) for room, (_, names) in ROOMS.items() for name in names]
)
def test_page__has_each_public_name_as_it_is(room, name):
    assert entry(name, getattr(ROOMS[room][0], name)) in PAGE


def test_page__has_nothing_else():
    names = [line.removeprefix("### ") for line in PAGE.splitlines() if line.startswith("### ")]
    assert sorted(names) == sorted(name for _, held in ROOMS.values() for name in held)
