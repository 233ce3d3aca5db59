"""Parts joined: the results of all columns, if the parts are those of one run, each there once."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from os import PathLike
from typing import NamedTuple

import numpy as np

from skpar_select._available_memory import available_memory
from skpar_select._caller import warn_caller
from skpar_select._memory import format_bytes
from skpar_select._typing import FloatArray, Names
from skpar_select._wording import counted, listing
from skpar_select.matrices.io._selection import as_slice
from skpar_select.planning import Shard
from skpar_select.scoring import Assembler, Fingerprint
from skpar_select.tables._parts import Manifest, Part

_MOST_LISTED = 20

# An object of text and its place in an array, besides its letters, and marks of what is there: 84 bytes a
# column were measured at the peak, with names of ten letters and one score.
_COLUMN_BYTES = 100


class Joined(NamedTuple):
    """What all parts of a run hold."""

    manifest: Manifest
    """That of one part, which is the same in all but for its columns."""

    results: dict[str, FloatArray]
    names: Names | None


def join_parts(
    paths: Sequence[str | PathLike[str]], *, free: Callable[[], int] = available_memory
) -> Joined:
    """Join the parts of one run, which may come in any order.

    Parts are read one after another. `free` says how many bytes of memory are available. Raises
    OSError for a file that is no part, or is damaged, and ValueError where a part is missing, comes
    twice or is of another run, or memory is too small.
    """
    parts = [Part.open(path) for path in paths]
    if not parts:
        raise ValueError("No part is named. All parts of a run are joined. Name them.")
    reference = _most_common(parts)
    for part in parts:
        _check_run(part, reference)
    by_number: dict[int, Part] = {}
    for part in parts:
        first = by_number.setdefault(part.manifest.shard.number, part)
        if first is not part:
            raise ValueError(
                f"'{first.path}' and '{part.path}' are both shard {part.manifest.shard}. Each shard is "
                "joined once. Name one of them."
            )
    manifest = reference.manifest
    _check_all_there(by_number, manifest.shard.of)
    if len({tuple(part.manifest.modified) for part in parts}) > 1:
        warn_caller(
            "The files of the matrix were modified at different times when the shards were scored. Of "
            "long files a part knows the size and 16 MiB. Make sure that all shards had the same "
            "values, or score them again."
        )
    held = sum(part.manifest.n_columns for part in parts)
    if held != manifest.n_features:
        raise ValueError(
            f"The parts hold {held} columns, the matrix has {manifest.n_features}. Every column is in one "
            "part. Score all shards again."
        )
    _check_memory(parts, free())
    return _join(sorted(parts, key=lambda part: part.manifest.shard), manifest)


def _join(parts: list[Part], manifest: Manifest) -> Joined:
    every = range(manifest.n_features)
    assembler = Assembler(len(every))
    names = np.empty(len(every), dtype=object) if manifest.name_bytes is not None else None
    for part in parts:
        columns, results, of_columns = part.read()
        if not len(columns):
            continue
        shapes = {name: values.shape[1:] for name, values in assembler.results.items()}
        if "score" not in results or any(
            values.shape[1:] != shapes.get(name, values.shape[1:])
            for name, values in results.items()
        ):
            raise OSError(
                f"'{part.path}' holds results of other kinds than the parts before it. All are of one "
                "run. Score its shard again."
            )
        assembler.write(columns, results)
        if names is not None and of_columns is not None:
            names[as_slice(columns)] = of_columns
    assembler.check(every)
    return Joined(manifest, assembler.results, names)


def _most_common(parts: Sequence[Part]) -> Part:
    """Return a part of the run that most parts are of: a foreign one is named as that."""
    keys = [json.dumps(_run_of(part.manifest), sort_keys=True) for part in parts]
    ((common, _),) = Counter(keys).most_common(1)
    return parts[keys.index(common)]


def _run_of(manifest: Manifest) -> dict[str, str]:
    """Return what all parts of a run have in common, by name."""
    return {
        **manifest.fingerprint,
        "number of shards": str(manifest.shard.of),
        "number of features": str(manifest.n_features),
        "table of targets": f"digest {manifest.targets}",
        "naming of features": f"digest {manifest.name_bytes is None}",
    }


def _check_run(part: Part, reference: Part) -> None:
    mine, theirs = _run_of(part.manifest), _run_of(reference.manifest)
    if mine == theirs:
        return
    differences = Fingerprint("", theirs).difference(mine)
    raise ValueError(
        f"'{part.path}' is of another run than '{reference.path}': "
        f"{listing(differences, most=len(differences), quoted=False)}. Parts are joined that follow from "
        f"the same. Score shard='{Shard(part.manifest.shard.number, reference.manifest.shard.of)}' "
        "again as the others, or leave its part out."
    )


def _check_all_there(by_number: dict[int, Part], count: int) -> None:
    n_missing = count - len(by_number)
    if n_missing:
        # A damaged part may claim more shards than can be listed.
        missing = (number for number in range(1, count + 1) if number not in by_number)
        shards = [f"shard='{number}/{count}'" for number in islice(missing, _MOST_LISTED)]
        more = f" and {n_missing - _MOST_LISTED} more" if n_missing > _MOST_LISTED else ""
        raise ValueError(
            f"{counted(n_missing, 'part')} of {count} {'is' if n_missing == 1 else 'are'} missing. Every "
            f"shard is joined once. Name the files, or score {', '.join(shards)}{more} first."
        )


def _check_memory(parts: Sequence[Part], free: int) -> None:
    """Refuse what does not fit into memory, before it is read."""
    largest = max(part.manifest.n_bytes for part in parts)
    needed = largest + sum(
        part.manifest.n_bytes + _COLUMN_BYTES * part.manifest.n_columns for part in parts
    )
    if needed > free:
        raise ValueError(
            f"Joining {counted(len(parts), 'part')} takes {format_bytes(needed)}, and "
            f"{format_bytes(free)} of memory are available. All results are held at once. Join them where "
            "there is more."
        )
