"""Stores that were cut, damaged, or filled with what does not belong there: never a wrong score.

A store holds the finished blocks of a fit in two journals. A case changes it, and then the same fit runs with
it: its scores must be the right ones, or an error must name the store.
"""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from skpar_select import ParallelMutualInfoSelector
from skpar_select.scoring._entry import JOURNAL, MANIFEST
from skpar_select.scoring._journal import JournalReader, JournalWriter, Kind, Record, Seal

from .batches import Batches
from .children import Raised, in_child
from .outcomes import Ended, Outcome

N_SAMPLES, N_FEATURES = 30, 24


def problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    return X, X[:, 3] + rng.normal(size=N_SAMPLES)


def fit(store, seed=0):
    X, y = problem(seed)
    how = {"k": 3, "random_state": 0, "n_jobs": 1, "memory_budget": "20MB", "store": store}
    return ParallelMutualInfoSelector(**how).fit(X, y).scores_.tobytes()


def journals_of(store):
    return sorted(store.glob(f"*/*{JOURNAL}"))


def records_of(path):
    """The bytes of each record of a journal."""
    content = path.read_bytes()
    marks = [place for place in range(len(content)) if content.startswith(b"\x89SJ1", place)]
    return [content[a:b] for a, b in zip(marks, [*marks[1:], len(content)], strict=True)]


def make(store):
    """Make a store of which two journals hold the blocks of a fit, as two processes leave them."""
    fit(store)
    (path,) = journals_of(store)
    seal = Seal((store / "key").read_bytes(), path.parent.name)
    whole = [r for r in JournalReader(path, seal).new_records() if r.kind is Kind.RESULT]
    scores = np.empty(N_FEATURES)
    for record in whole:
        scores[list(record.columns)] = record.result["score"]
    names = {name for record in whole for name in record.result}
    assert names == {"score"}, names
    path.unlink()
    blocks = [range(start, start + 4) for start in range(0, N_FEATURES - 4, 4)]
    for number in range(2):
        made = path.with_name(f"{number}{JOURNAL}")
        writer = JournalWriter(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), seal)
        for block in blocks[number::2]:
            writer.append(Record(Kind.CLAIM, block, {}))
            writer.append(Record(Kind.RESULT, block, {"score": scores[block.start : block.stop]}))
        writer.close()


@dataclass
class Stores:
    """A store that is whole, one of another fit, and one of the same fit with another key."""

    whole: object
    other: object
    keyless: object

    def records(self, which=None):
        return [piece for path in journals_of(which or self.whole) for piece in records_of(path)]


# Each changes a store at a place in it, which a number of each kind of case gives.


def torn(stores, store, number):
    path, place = _byte(store, number)
    path.write_bytes(path.read_bytes()[:place])


def flipped(stores, store, number):
    path, place = _byte(store, number // 8)
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << number % 8
    path.write_bytes(content)


def _byte(store, number):
    for path in journals_of(store):
        size = path.stat().st_size
        if number < size:
            return path, number
        number -= size
    raise IndexError(number)


def shuffled(stores, store, number):
    """Records repeated, left out, in another order, of other stores, cut, with other bytes between them."""
    rng = np.random.default_rng(number)
    pieces = [*stores.records(), *stores.records(stores.other), *stores.records(stores.keyless)]
    chosen = [pieces[i] for i in rng.integers(len(pieces), size=rng.integers(1, 30))]
    for place in range(len(chosen)):
        way = rng.integers(8)
        if way == 0:
            chosen[place] = chosen[place][: rng.integers(len(chosen[place]))]
        elif way == 1:
            chosen[place] += rng.bytes(int(rng.integers(1, 40)))
        elif way == 2:
            # the head of one, the body of another
            piece = pieces[rng.integers(len(pieces))]
            chosen[place] = chosen[place][:16] + piece[16:]
        elif way == 3:
            chosen[place] = chosen[place][:32] + pieces[rng.integers(len(pieces))][32:]
    paths = journals_of(store)
    paths[rng.integers(len(paths))].write_bytes(b"".join(chosen))


def foreign(stores, store, number):
    """Something else at the place of a file of the store, or beside."""
    rng = np.random.default_rng(number)
    (entry,) = {path.parent for path in journals_of(store)}
    places = [
        *journals_of(store),
        entry / f"new{JOURNAL}",
        entry / MANIFEST,
        entry / "new.part",
        store / "key",
        store / "digests",
        entry,
        store / f"{'0' * 64}",
    ]
    place = places[number % len(places)]
    thing = THINGS[number // len(places) % len(THINGS)]
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    thing(place, stores, rng)


def _nothing(place, stores, rng):
    pass


def _empty(place, stores, rng):
    place.write_bytes(b"")


def _noise(place, stores, rng):
    place.write_bytes(rng.bytes(int(rng.integers(1, 3000))))


def _zeros(place, stores, rng):
    with place.open("wb") as stream:
        stream.truncate(2**28)


def _pipe(place, stores, rng):
    os.mkfifo(place)


def _socket(place, stores, rng):
    # Its address may have 107 bytes.
    here = os.getcwd()
    os.chdir(place.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(place.name)
    os.chdir(here)


def _folder(place, stores, rng):
    (place / "in it").mkdir(parents=True)


def _link_to_nowhere(place, stores, rng):
    place.symlink_to("nowhere")


def _link_to_itself(place, stores, rng):
    place.symlink_to(place.name)


def _link_to_another(place, stores, rng):
    place.symlink_to(journals_of(stores.other)[0])


def _link_to_device(place, stores, rng):
    place.symlink_to("/dev/zero")


def _of_another(place, stores, rng):
    shutil.copy(journals_of(stores.other)[0], place)


def _json(place, stores, rng):
    texts = [
        "[]",
        "null",
        '{"parts": 3}',
        '{"parts": {"y": []}}',
        "[" * 60_000,
        '{"parts": {"a": "\\ud800"}}',
    ]
    place.write_text(texts[rng.integers(len(texts))])


THINGS = [
    _nothing, _empty, _noise, _zeros, _pipe, _socket, _folder, _link_to_nowhere, _link_to_itself,
    _link_to_another, _link_to_device, _of_another, _json,
]  # fmt: skip


@dataclass
class Damage:
    """A kind of change, and how many places there are for it."""

    change: Callable
    n: int


class Journals(Batches):
    """The cases: each place of each kind of change."""

    size = 50

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.stores = Stores(folder / "whole", folder / "other", folder / "keyless")
        ended = in_child(self._make)
        if isinstance(ended, Raised):
            raise RuntimeError(ended.trace)
        self.expected, size = ended.value
        self.damages = [
            Damage(torn, size),
            Damage(flipped, 8 * size),
            Damage(shuffled, 10**6),
            Damage(foreign, 8 * len(THINGS) * 3),
        ]

    def _make(self):
        make(self.stores.whole)
        fit(self.stores.other, seed=1)
        shutil.copytree(self.stores.whole, self.stores.keyless)
        for path in journals_of(self.stores.keyless):
            path.unlink()
        (self.stores.keyless / "key").unlink()
        fit(self.stores.keyless)
        return fit(None), sum(path.stat().st_size for path in journals_of(self.stores.whole))

    def numbers(self, n):
        """By turns the places of each kind, in an order of their own, till all of them are done."""
        rng = np.random.default_rng(self.seed)
        most = max(damage.n for damage in self.damages if damage.change is not shuffled)
        places = [rng.permutation(min(damage.n, most)).tolist() for damage in self.damages]
        each = [
            place * len(self.damages) + which
            for turn in range(most)
            for which in range(len(self.damages))
            for place in places[which][turn : turn + 1]
        ]
        self._wanted = each[:n]
        return self._wanted

    def one(self, number):
        """Change a store and fit with it; then once more, with what that left."""
        place, which = divmod(number, len(self.damages))
        change = self.damages[which].change
        store = self.folder / "changed"
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(self.stores.whole, store)
        change(self.stores, store, place)
        words = f"{change.__name__} {place}"
        for turn in range(2):
            try:
                scores = fit(store)
            except BaseException as error:
                raised = Raised.of(error)
                clear = raised.names_one_of([str(store)])
                return Ended(
                    Outcome.REFUSED if clear else Outcome.UNCLEAR, f"{words}: {raised.words}"
                )
            if scores != self.expected:
                return Ended(Outcome.WRONG, f"{words}, fit {turn + 1}")
        return Ended(Outcome.RIGHT, words)
