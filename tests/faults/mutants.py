"""Files changed at random: each is refused, or gives the scores that it must.

Every container is written once, sound; a case changes some bytes of it, three quarters of them aimed at
what describes the values, and a forked process opens, fits and transforms it, under a limit of time and of
memory. What may come of it follows from the bytes that were changed:

- bytes under a checksum: the true scores, or an error;
- values that lie in one piece and have no checksum: the scores of the values as they are now, or an error;
- other bytes that have no checksum, such as a type in HDF5's older format: any scores, counted apart.
"""

import numpy as np

from .children import Raised, ended_of, in_child
from .outcomes import Ended, Kind, Outcome
from .seeds import SEEDS, fit

INTEGERS = [0, 2**64 - 1, 2**31, 2**63, 1, 2**32 - 1, 2**16, 2**40]


class Original:
    """A sound file or folder, where in it bytes are under no checksum, and what it gives."""

    def __init__(self, name, folder):
        self.seed = SEEDS[name]
        folder.mkdir()
        self.path = folder / f"matrix{self.seed.suffix}"
        ended = in_child(self._write, seconds=60, memory=2**32)
        if isinstance(ended, Raised):
            raise RuntimeError(f"{name}: {ended.trace}")
        self.paths, self.held, bare, self.result = ended.value
        self.files = {path: path.read_bytes() for path in _files(folder)}
        self.bare = {path: bare.get(path) for path in self.files}
        self.mutable = [path for path in self.files if path.name != "beside.npy"]

    def _write(self):
        paths = self.seed.write(self.path)
        held = None if self.seed.held is None else self.seed.held(paths)[:2]
        bare = {} if self.seed.bare is None else {paths: self.seed.bare(paths)}
        return paths, held, bare, self.seed.use(paths, self.seed.how)


def _files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


class Mutants(Kind):
    """The cases: number after number the next container, changed in another way."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.originals = {}

    def case(self, number):
        name = list(SEEDS)[number % len(SEEDS)]
        if name not in self.originals:
            self.originals[name] = Original(name, self.folder / f"{len(self.originals)}")
        original = self.originals[name]
        rng = np.random.default_rng((self.seed, number))
        path = original.mutable[rng.integers(len(original.mutable))]
        whole = original.files[path]
        content, ways = mutated(whole, original.bare[path], rng)
        words = f"{name}: {', '.join(ways)} of {path.name}"
        if content == whole:
            return Ended(Outcome.RIGHT, words)
        path.write_bytes(content)
        try:
            ended = in_child(original.seed.use, original.paths, original.seed.how)
            return self._judge(original, path, content, ended, words)
        finally:
            path.write_bytes(whole)

    def _judge(self, original, path, content, ended, words):
        if isinstance(ended, Raised):
            # A part of a folder is told by its own name, or the folder's.
            clear = ended.tells_of([path.name, original.path.name])
            outcome = Outcome.REFUSED if clear else Outcome.UNCLEAR
            return Ended(outcome, f"{words}: {ended.words}")
        if not hasattr(ended, "value"):
            return ended_of(ended, words)
        if _same(ended.value, original.result):
            return Ended(Outcome.RIGHT, words)
        whole = original.files[path]
        size = min(len(whole), len(content))
        changed = np.frombuffer(content[:size], "u1") != np.frombuffer(whole[:size], "u1")
        if original.held is not None and len(content) == len(whole):
            first, stop = original.held
            if not changed[:first].any() and not changed[stop:].any():
                expected = in_child(self._expected, original, path, content)
                right = _same(ended.value, getattr(expected, "value", None))
                return Ended(Outcome.UNSEALED if right else Outcome.WRONG, words)
        bare = original.bare[path]
        unsealed = bare is None or (changed & bare[:size]).any()
        return Ended(Outcome.UNSEALED if unsealed else Outcome.WRONG, words)

    @staticmethod
    def _expected(original, path, content):
        path.write_bytes(original.files[path])
        _, _, held = original.seed.held(path)
        return fit(held(content))


def _same(left, right):
    return (
        right is not None
        and left.shape == right.shape
        and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    )


def mutated(whole, bare, rng):
    """Change the bytes of a file; return them, and what was done in words."""
    data, ways = bytearray(whole), []
    aims = np.arange(len(whole)) if bare is None else np.flatnonzero(~bare)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        size = len(data)
        if not size:
            break
        place = int(rng.integers(size))
        if len(aims) and rng.random() < 0.75:
            place = min(int(rng.choice(aims)), size - 1)
        way = rng.choice(7, p=[0.2, 0.2, 0.3, 0.1, 0.08, 0.06, 0.06])
        if way == 0:
            data[place] ^= 1 << int(rng.integers(8))
            ways.append(f"a bit at {place}")
        elif way == 1:
            data[place] = int(rng.integers(256))
            ways.append(f"a byte at {place}")
        elif way == 2:
            width = int(rng.choice([8, 8, 8, 4, 2]))
            place -= place % (width if rng.random() < 0.7 else 1)
            integer = int(rng.choice(np.array(INTEGERS, "u8"))) % 256**width
            piece = integer.to_bytes(width, "little")[: size - place]
            data[place : place + len(piece)] = piece
            ways.append(f"{integer} in {width} bytes at {place}")
        elif way == 3:
            length, source = int(rng.integers(1, 65)), int(rng.integers(size))
            piece = data[source : source + min(length, size - place)]
            data[place : place + len(piece)] = piece
            ways.append(f"{len(piece)} bytes from {source} at {place}")
        elif way == 4:
            del data[place:]
            ways.append(f"cut at {place}")
        elif way == 5:
            length = int(rng.integers(1, 65))
            del data[place : place + length]
            ways.append(f"{length} bytes taken out at {place}")
        else:
            length = int(rng.integers(1, 65))
            data[place:place] = rng.bytes(length)
            ways.append(f"{length} bytes put in at {place}")
    return bytes(data), ways
