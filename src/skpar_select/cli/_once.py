"""A parser of arguments that lets nothing pass in silence.

- An option that is given twice is an error that names both values, unless it is a list.
- No option is known by its first letters alone, which another may share tomorrow.
- Options that are nearly right are suggested.
- ``@FILE`` stands for the options in a file, for those that are the same in every call.
"""

import shlex
import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn


class Once(Action):
    """Stores the value of an option that has one value."""

    def __call__(
        self,
        parser: ArgumentParser,
        namespace: Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Store it, unless there is one already."""
        if values == "":
            # What a shell makes of a variable that is not set; some would be taken for no option.
            parser.error(
                f"{option_string or self.metavar} is empty. It must say something. Give it, or leave it out"
            )
        given = given_options(namespace)
        if option_string is not None and self.dest in given:
            parser.error(
                f"{option_string} is given twice: {_shown(getattr(namespace, self.dest))} and "
                f"{_shown(values)}. It has one value. Leave one out"
            )
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class Parser(ArgumentParser):
    """Reads arguments; its errors are one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, fromfile_prefix_chars="@", **options)
        self.register("action", None, Once)
        self.register("action", "store", Once)

    def convert_arg_line_to_args(self, arg_line: str) -> list[str]:
        """Split a line of a file of options as a shell does."""
        try:
            return shlex.split(arg_line, comments=True)
        except ValueError as error:
            self.error(
                f"{arg_line!r} in a file of options cannot be split into options ({error}). A line is "
                "written as in a shell. Close its quotes"
            )

    def parse(self, arguments: Sequence[str] | None) -> Namespace:
        """Return the options; end the program where they are wrong."""
        try:
            options, unknown = self.parse_known_args(arguments)
        except UnicodeDecodeError as error:
            self.error(
                f"a file of options cannot be read as text ({error}). After @ stands a text file with "
                "options. Name one"
            )
        except RecursionError:
            self.error(
                "a file of options names itself by @. Files of options may name others, but no circle "
                "of them. Remove that line"
            )
        if unknown:
            self.error(self._about(unknown, options))
        return options

    def error(self, message: str) -> NoReturn:
        """End with one line, without the usage."""
        if message.startswith("the following arguments are required: MATRIX"):
            message += ". Name the file of the matrix before the options"
        message = message.removeprefix("argument ").rstrip(".")
        print(f"skpar-select: error: {message}. See {self.prog} --help.", file=sys.stderr)
        self.exit(2)

    def _about(self, unknown: list[str], options: Namespace) -> str:
        known = sorted(options.known_options)
        for text in unknown:
            if text.startswith("-"):
                near = get_close_matches(text.partition("=")[0], known, n=1)
                suggestion = f" (did you mean {near[0]}?)" if near else ""
                return f"{text} is no option of {options.command}{suggestion}"
        return (
            f"{_shown(unknown)} belongs to no option. All files of the matrix are named together, "
            "before the options"
        )


def given_options(namespace: Namespace) -> set[str]:
    """Return the names of the options that were given, as opposed to those by default."""
    given: set[str] = vars(namespace).setdefault("given", set())
    return given


def _shown(value: Any) -> str:
    return " ".join(map(_shown, value)) if isinstance(value, list) else repr(value)
