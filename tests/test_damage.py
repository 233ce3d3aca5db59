"""Files that are damaged end in an error that tells, or in the scores that their bytes have."""

import json
import subprocess
import sys
from pathlib import Path

MUTATIONS = Path(__file__).with_name("mutations.py")
N_FILES = 400


def test_fit__of_files_damaged_at_random_refuses_them_or_gives_their_scores(tmp_path):
    command = [sys.executable, MUTATIONS, tmp_path, "0", str(N_FILES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    outcomes = json.loads(done.stdout)
    assert set(outcomes) == {"refused", "fitted", "wrong"}
    refused, fitted = outcomes["refused"], outcomes["fitted"]
    assert outcomes["wrong"] == []
    # No file is left out, and every rule was put to the test, by files that it let pass too.
    assert sum(refused.values()) + sum(fitted.values()) == N_FILES
    assert 200 <= sum(refused.values()) < 300
    rules = {"checked", "contiguous", "lzf", "description"}
    assert set(refused) == set(fitted) == rules
    assert min(*refused.values(), *fitted.values()) >= 10
