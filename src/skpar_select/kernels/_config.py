"""The instruction set that the kernel runs on."""

import os

try:
    from skpar_select.kernels import _kernels as _kernels
except ImportError as error:  # pragma: no cover
    raise ImportError(
        f"The compiled part of skpar_select cannot be imported ({error}). Where Python was started "
        "in the source folder, that folder hides the installed package: install it with "
        "'pip install --editable .', or start Python somewhere else."
    ) from error

VARIABLE = "SKPAR_SELECT_ISA"


def choose_instruction_set(name: str | None) -> None:
    """Choose an instruction set by name; None is the best that the processor has."""
    available = _kernels.instruction_sets()
    if name is None:
        name = available[-1]
    if name not in available:
        raise ValueError(
            f"{VARIABLE}={name!r} is not available here: it must be one of "
            f"{', '.join(available)}. Unset it to let the best be chosen."
        )
    _kernels.use_instruction_set(name)


def get_config() -> dict[str, object]:
    """Return which instruction set the compiled kernel uses.

    The kernel is built for several instruction sets, and the best that the processor has is chosen
    at import. The environment variable ``SKPAR_SELECT_ISA`` forces another. All of them give the
    same scores, to the last bit.

    Returns
    -------
    config : dict
        ``"instruction_set"``: the one in use; ``"available"``: those that the processor has, slowest
        first; ``"variable"``: the name of the environment variable.

    Examples
    --------
    >>> import skpar_select
    >>> config = skpar_select.get_config()
    >>> config["instruction_set"] in config["available"]
    True
    """
    return {
        "instruction_set": _kernels.instruction_set(),
        "available": list(_kernels.instruction_sets()),
        "variable": VARIABLE,
    }


choose_instruction_set(os.environ.get(VARIABLE) or None)
