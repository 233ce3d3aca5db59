"""The column of a table that holds the sample ids: found, or asked for where that is in doubt."""

from collections import Counter
from collections.abc import Sequence

from skpar_select._alignment import AlignmentError, near_match, nearly
from skpar_select._wording import listing
from skpar_select.tables._table import Table

# A column whose ids occur this often on average holds a property, not ids.
_REPEATED = 2


def find_id_column(
    table: Table, ids: Sequence[str], targets: Sequence[str], named: str | None
) -> str:
    """Return the column that holds the sample ids: the named one, or that with the most of them."""
    length = table.length(targets[0])
    if named is not None:
        name = table.find(named, "The sample ids")
        if table.length(name) != length:
            raise ValueError(
                f"id_column={named!r} of {table.label} has {table.length(name)} rows, the target "
                f"{targets[0]!r} {length}. Both must be of the same samples. Name another column."
            )
        return name
    known, near = set(ids), {nearly(one) for one in ids}
    found: dict[str, int] = {}
    alike: dict[str, int] = {}

    def cells_of(name: str) -> list[str]:
        # One column at a time: all of a wide table take far more than its file.
        cells: list[str] = table.glance(name).text().tolist()
        return cells

    for name in table.beside(targets[0]):
        if name in targets or not table.glance(name).may_hold_ids:
            continue
        cells = cells_of(name)
        found[name] = len(known.intersection(cells))
        # Values that repeat are a property, such as years, not ids.
        distinct = Counter(cells)
        hits = [cell for cell in distinct if nearly(cell) in near]
        repeats = sum(distinct[cell] for cell in hits) >= _REPEATED * len(hits)
        alike[name] = 0 if repeats else len(hits)
    # The index that pandas writes has no name: "" is a column like any other.
    best = max(found, key=found.__getitem__, default=None)
    if best is None or not found[best]:
        hints = (near_match(cells_of(name), known) for name in found)
        raise AlignmentError(
            f"No column of {table.label} holds a sample id of the matrix ({listing(ids)}). Targets "
            f"are matched by id, never by position. {next(filter(None, hints), '')}".strip(),
            "Add the ids as a column, or write them alike on both sides.",
        )
    cells = cells_of(best)
    distinct_cells = set(cells)
    if 2 * found[best] < min(len(known), len(distinct_cells)):
        raise AlignmentError(
            f"No column of {table.label} holds half of the sample ids of the matrix, or half as "
            f"many other values: {best!r} holds most, {found[best]} of {len(known)} ids. That may be "
            f"by chance. {near_match(distinct_cells - known, known - distinct_cells)}".strip(),
            "If it holds the ids, name it as id_column.",
        )
    same = [nearly(cell) for cell in cells]
    rivals = [
        name
        for name, number in alike.items()
        if name != best
        and 2 * number >= found[best]
        and [nearly(cell) for cell in cells_of(name)] != same
    ]
    if rivals:
        raise AlignmentError(
            f"Columns {listing([best, *rivals])} of {table.label} all hold sample ids of the "
            "matrix, or what is nearly these, in other rows each. One column tells whose row it is.",
            "Name it as id_column.",
        )
    return best
