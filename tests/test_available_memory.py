import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skpar_select._available_memory import available_memory, resident_memory

GIB, MIB, PAGE = 2**30, 2**20, os.sysconf("SC_PAGE_SIZE")
FREE = 24 * GIB
NO_LIMIT_V1 = 9223372036854771712

V2 = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"
V1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:14 - cgroup cgroup rw,memory"
V1_CPU = "36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw shared:15 - cgroup cgroup rw,cpu,cpuacct"
UNIFIED = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw"


def v2(used, limit="max", *, high="max", cache=0):
    return {
        "memory.max": f"{limit}\n",
        "memory.high": f"{high}\n",
        "memory.current": f"{used}\n",
        "memory.stat": f"anon {used - cache}\nfile {cache}\ninactive_file {cache}\nactive_file 0\n",
    }


def v1(used, limit=NO_LIMIT_V1, *, cache=0):
    return {
        "memory.limit_in_bytes": f"{limit}\n",
        "memory.usage_in_bytes": f"{used}\n",
        "memory.stat": f"cache 0\ninactive_file 0\ntotal_cache {cache}\ntotal_inactive_file {cache}\n",
    }


@pytest.fixture
def kernel(tmp_path):
    """Return a function that writes files as the kernel has them, and gives their root."""

    def write(cgroup="", mounts=(), groups=None, *, limits="", statm="9 8 7 6 5 4 3"):
        files = {
            "proc/meminfo": f"MemTotal: {FREE // 512} kB\nMemAvailable:   {FREE // 1024} kB\n",
            "proc/self/cgroup": cgroup,
            "proc/self/mountinfo": "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + "\n".join(mounts),
            "proc/self/limits": limits,
            "proc/self/statm": statm,
        }
        for folder, held in (groups or {}).items():
            files |= {f"{folder}/{name}": text for name, text in held.items()}
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write


ROOT = "sys/fs/cgroup"
SLURM = "system.slice/slurmstepd.scope/job_7/step_0/user/task_0"
SLURM_V1 = "slurm/uid_1000/job_7/step_0/task_0"
CONTAINERS = {
    "docker, v2": ("0::/\n", [V2], {ROOT: v2(GIB // 2, 2 * GIB)}, 1.5 * GIB),
    "docker, v1, groups of the host": (
        "12:memory:/docker/3f\n0::/docker/3f\n",
        [V1.replace(" / /sys", " /docker/3f /sys")],
        {f"{ROOT}/memory": v1(GIB // 2, 2 * GIB)},
        1.5 * GIB,
    ),
    "a mount that begins elsewhere": (
        "0::/../other\n",
        [V2.replace(" / /sys", " /../.. /sys")],
        {ROOT: v2(GIB, 2 * GIB)},
        GIB,
    ),
    "kubernetes, v2, groups of the host": (
        "0::/kubepods.slice/pod1/c1\n",
        [V2],
        {
            ROOT: {},
            f"{ROOT}/kubepods.slice": v2(20 * GIB, 22 * GIB),
            f"{ROOT}/kubepods.slice/pod1": v2(GIB, 3 * GIB),
            f"{ROOT}/kubepods.slice/pod1/c1": v2(GIB, 6 * GIB),
        },
        2 * GIB,
    ),
    "slurm, v2": (
        f"0::/{SLURM}\n",
        [V2],
        {
            f"{ROOT}/system.slice/slurmstepd.scope/job_7": v2(GIB // 4, 2 * GIB),
            f"{ROOT}/{SLURM}": v2(GIB // 8),
        },
        1.75 * GIB,
    ),
    "slurm, v1": (
        f"11:cpuacct,cpu:/{SLURM_V1}\n4:memory:/{SLURM_V1}\n1:name=systemd:/system.slice\n",
        [V1_CPU, V1],
        {
            f"{ROOT}/memory": v1(9 * GIB),
            f"{ROOT}/memory/slurm/uid_1000/job_7": v1(GIB, 2 * GIB),
            f"{ROOT}/memory/{SLURM_V1}": v1(GIB),
            f"{ROOT}/cpu,cpuacct/{SLURM_V1}": v1(GIB, GIB),  # not a group of memory
        },
        GIB,
    ),
    "a slice of systemd that slows down first": (
        "0::/user.slice/user-1000.slice/session-3.scope\n",
        [V2],
        {
            f"{ROOT}/user.slice/user-1000.slice": v2(GIB, 4 * GIB, high=3 * GIB),
            f"{ROOT}/user.slice/user-1000.slice/session-3.scope": v2(GIB),
        },
        2 * GIB,
    ),
    "both versions at once": (
        "4:memory:/job\n0::/job\n",
        [V1, UNIFIED],
        {f"{ROOT}/memory/job": v1(GIB, 4 * GIB), f"{ROOT}/unified/job": {"cgroup.procs": "1\n"}},
        3 * GIB,
    ),
    "a name with a blank and a colon": (
        "0::/my job:1\n",
        [V2.replace("/sys/fs/cgroup", "/sys/fs/c\\040group")],
        {"sys/fs/c group/my job:1": v2(0, GIB)},
        GIB,
    ),
    "a group that was removed": ("0::/a/b (deleted)\n", [V2], {f"{ROOT}/a": v2(0, GIB)}, GIB),
    "no limit": ("0::/a\n", [V2], {f"{ROOT}/a": v2(GIB)}, FREE),
    "no limit, v1": ("4:memory:/a\n", [V1], {f"{ROOT}/memory/a": v1(GIB)}, FREE),
    "no groups": ("", [], {}, FREE),
    "nothing left": ("0::/\n", [V2], {ROOT: v2(2 * GIB, GIB)}, 1),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_available_memory__is_what_the_group_and_those_around_it_leave(name, kernel):
    cgroup, mounts, groups, expected = CONTAINERS[name]
    assert available_memory(kernel(cgroup, mounts, groups)) == expected


@pytest.mark.parametrize(
    ("cgroup", "mounts", "groups"),
    [
        ("0::/\n", [V2], {ROOT: v2(2 * GIB - 100 * MIB, 2 * GIB, cache=1900 * MIB)}),
        (
            "4:memory:/job\n",
            [V1],
            {f"{ROOT}/memory/job": v1(2 * GIB - 100 * MIB, 2 * GIB, cache=1900 * MIB)},
        ),
    ],
    ids=["v2", "v1"],
)
def test_available_memory__does_not_count_what_is_kept_of_files(cgroup, mounts, groups, kernel):
    assert available_memory(kernel(cgroup, mounts, groups)) == 2000 * MIB


@pytest.mark.parametrize(
    ("limit", "held"), [("Max address space", 0), ("Max data size", 5)], ids=["-v", "-d"]
)
def test_available_memory__is_what_the_limits_of_the_process_leave(limit, held, kernel):
    limits = (
        "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max file size             1000                 unlimited            bytes\n"
        f"{limit:<26}{3 * GIB:<21}{'unlimited':<21}bytes\n"
    )
    pages = [1000, 2000, 3000, 4000, 0, 6000, 0]
    root = kernel(limits=limits, statm=" ".join(map(str, pages)))
    assert available_memory(root) == 3 * GIB - pages[held] * PAGE


def test_available_memory__of_a_machine_without_these_files(tmp_path):
    assert available_memory(tmp_path) > 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux")
def test_available_memory__sees_ulimit():
    code = (
        "import resource; from skpar_select._available_memory import available_memory\n"
        "held = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (held + {200 * MIB}, -1))\n"
        "print(available_memory())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 150 * MIB < int(done.stdout) <= 200 * MIB


def test_resident_memory__is_that_of_this_process():
    held = np.ones(10**7)  # 80 MB
    assert resident_memory() > held.nbytes
