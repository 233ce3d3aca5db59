"""What the planner is told of the kernel's memory holds, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skpar_select.kernels import MISSING_BYTES, SCRATCH_BYTES, TARGET_BYTES

MEASURE = Path(__file__).with_name("measure_memory.py")


@pytest.fixture(scope="module")
def measured():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak is measured on Linux")
    # Arrays that are freed go back to the system, and so count anew in the next call.
    environment = {
        **os.environ,
        "PYTHONPATH": str(MEASURE.parents[1]),
        "MALLOC_MMAP_THRESHOLD_": "65536",
    }
    done = subprocess.run(
        [sys.executable, str(MEASURE), "400000"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_targets__take_no_more_than_is_told(measured):
    peaks = [
        peak for name, peak in measured.items() if name.endswith(" target") and "," not in name
    ]
    assert len(peaks) == 4
    assert 0.8 * TARGET_BYTES < max(peaks) <= TARGET_BYTES


def test_block_calls__take_no_more_than_is_told(measured):
    peaks = [
        peak for name, peak in measured.items() if "columns" in name and "with gaps" not in name
    ]
    assert len(peaks) == 34
    assert 0.8 * SCRATCH_BYTES < max(peaks) <= SCRATCH_BYTES


def test_block_calls_with_gaps__take_no_more_than_is_told(measured):
    peaks = [peak for name, peak in measured.items() if "with gaps" in name]
    assert len(peaks) == 16
    told = SCRATCH_BYTES + MISSING_BYTES
    # the pair that takes most of scratch, with many neighbours, is not that which takes most of gaps
    assert 0.7 * told < max(peaks) <= told
