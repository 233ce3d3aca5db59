"""One call of the system on a file fails, for every call of a whole run: the scores are right, or it is told.

The run is counted first; then each call fails in turn, once or from then on, with an error, with a full
disk, with half of the bytes, or with none. After an error nothing may be left but what is whole, and the
same run must then go well.
"""

import pickle
import shutil

import numpy as np

from .children import Raised, Returned, ended_of, in_child
from .injection import HOWS, arm, disarm
from .outcomes import Ended, Kind, Outcome
from .scenarios import SCENARIOS, content_of

SECONDS = 30


class Prepared:
    """A scenario with its files, and what it gives where nothing fails."""

    def __init__(self, name, folder):
        self.name, self.scenario = name, SCENARIOS[name]
        self.inputs, self.out = folder / "in", folder / "out"
        self.folder = folder
        self.inputs.mkdir(parents=True)
        self.paths, self.budget = _value(in_child(self.scenario.prepare, self.inputs, seconds=60))
        self.clear()
        result, self.counts = _value(in_child(self.work, HOWS[0], 0, seconds=60))
        self.result = pickle.dumps(result)
        self.files = self.made()
        assert set(self.files) == set(self.scenario.outputs), self.files

    def clear(self):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()

    def made(self):
        """What the files hold that a run left, by name."""
        files = [path for path in self.out.iterdir() if path.is_file()]
        return {path.name: getattr(in_child(content_of, path), "value", None) for path in files}

    def is_right(self, result, made):
        """Whether a run that ended well gave what it must."""
        return pickle.dumps(result) == self.result and made == self.files

    def names(self):
        """What a message may name: each of the files, and the folder of temporary ones."""
        return [path.name for path in self.inputs.rglob("*")] + [
            *self.scenario.outputs,
            str(self.out),
        ]

    def work(self, how, first):
        """Run, with the call of this number failing; return the result, and how often it failed."""
        arm(self.folder, how, first)
        try:
            result = self.scenario.run(self.paths, self.budget, self.out)
        finally:
            ended = disarm()
        return result, ended


def _value(ended):
    if not isinstance(ended, Returned):
        raise RuntimeError(getattr(ended, "trace", ended))
    return ended.value


class FailingIO(Kind):
    """The cases: every call, every way to fail, every scenario."""

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.prepared = {}

    def numbers(self, n):
        """Shuffled by the seed, so that some of them are of all scenarios."""
        each = [
            (call * len(HOWS) + how) * len(SCENARIOS) + place
            for place, name in enumerate(SCENARIOS)
            for how in range(len(HOWS))
            for call in range(self._prepared(name).counts[how])
        ]
        return np.random.default_rng(self.seed).permutation(each)[:n].tolist()

    def _prepared(self, name):
        if name not in self.prepared:
            self.prepared[name] = Prepared(name, self.folder / str(len(self.prepared)))
        return self.prepared[name]

    def case(self, number):
        rest, place = divmod(number, len(SCENARIOS))
        call, which = divmod(rest, len(HOWS))
        run, how = self._prepared(list(SCENARIOS)[place]), HOWS[which]
        words = f"{run.name}: {how}, at call {call + 1} of {run.counts[which]}"
        run.clear()
        ended = in_child(run.work, how, call + 1, seconds=SECONDS)
        if not isinstance(ended, Raised | Returned):
            return ended_of(ended, words)
        made = run.made()
        kept = run.scenario.keeps
        strange = sorted(
            n for n in set(made) - set(run.files) if not kept or not n.startswith(kept)
        )
        if strange:
            return Ended(Outcome.UNCLEAR, f"{words}: left {', '.join(strange)}")
        if any(made[name] != run.files[name] for name in set(made) & set(run.files)):
            return Ended(Outcome.WRONG, f"{words}: a file that is not right")
        if isinstance(ended, Returned):
            right = run.is_right(ended.value[0], made)
            return Ended(Outcome.RIGHT if right else Outcome.WRONG, words)
        words += f": {ended.words}"
        if not ended.names_one_of(run.names()):
            return Ended(Outcome.UNCLEAR, words)
        return self._again(run, how, words)

    def _again(self, run, how, words):
        """Run once more, where nothing fails, in what the error left."""
        for name in run.files:
            (run.out / name).unlink(missing_ok=True)
        again = in_child(run.work, how, 0, seconds=SECONDS)
        if isinstance(again, Returned) and run.is_right(again.value[0], run.made()):
            return Ended(Outcome.REFUSED, words)
        return Ended(Outcome.WRONG, f"{words}; the next run: {again}")
