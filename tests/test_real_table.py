"""The benchmark of a real matrix and a real table, at a size for a test."""

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "real_table.py"


def test_one_command__gives_the_scores_of_the_complete_cases(tmp_path, capsys):
    spec = importlib.util.spec_from_file_location("real_table", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.main([str(tmp_path), "--samples", "400", "--features", "300"]) == 0
    said = capsys.readouterr()
    assert "300 of 300 scores are the same to the last bit" in said.out
    for part in ("25 of 425 rows", "8 samples without", "392 of 400 samples are kept"):
        assert part in said.err
