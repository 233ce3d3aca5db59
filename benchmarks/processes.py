"""What a process and all its children take, watched from outside."""

import os
import threading
import time

import psutil


class Watch:
    """Samples memory and input of a process tree until it is stopped.

    Memory is the proportional set size: pages that processes share count once. Where the kernel
    does not tell it, the resident size, which counts them for each.

    Parameters
    ----------
    pid : int
        The process at the root.
    interval : float, default=0.02
        Seconds between two samples. What is taken and given back in between is not seen; `marks`
        tells the kernel's own high-water marks, in which a page that is shared counts repeatedly.
    """

    def __init__(self, pid, interval=0.02):
        self.root = psutil.Process(pid)
        self.interval = interval
        self.peak_bytes = 0
        self.n_processes = 0
        self._io = {}
        self._marks = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.sample()
        self._io_before = self.io()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()
        self.sample()

    def sample(self):
        """Look once; give the bytes that are held now."""
        held = 0
        try:
            processes = [self.root, *self.root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        for process in processes:
            try:
                held += _held_bytes(process.pid)
                self._io[process.pid] = _fields(process.pid, "io")
                self._marks[process.pid] = _fields(process.pid, "status").get("VmHWM", 0) * 1024
            except (OSError, psutil.NoSuchProcess):
                continue
        self.peak_bytes = max(self.peak_bytes, held)
        self.n_processes = max(self.n_processes, len(processes))
        return held

    def io(self):
        """Bytes asked of the system, and bytes that came from a disk, by all that ever ran."""
        return {
            key: sum(fields.get(key, 0) for fields in self._io.values())
            for key in ("rchar", "read_bytes")
        }

    def read_since(self):
        """Give the same since the watch began."""
        now = self.io()
        return {key: now[key] - self._io_before[key] for key in now}

    @property
    def marks(self):
        """Sum of the high-water marks of all processes."""
        return sum(self._marks.values())

    def _run(self):
        while not self._stopped.wait(self.interval):
            self.sample()


def sequential_read(path, *, piece=8 * 2**20):
    """Read a file from end to end after dropping it from the page cache.

    Returns
    -------
    seconds : float
    from_disk : int
        Bytes that came from a disk and not from memory: as many as the file has, if it was cold.
    """
    drop_cache(path)
    before = _fields(os.getpid(), "io").get("read_bytes", 0)
    buffer = memoryview(bytearray(piece))
    start = time.perf_counter()
    with open(path, "rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    seconds = time.perf_counter() - start
    return seconds, _fields(os.getpid(), "io").get("read_bytes", 0) - before


def drop_cache(path):
    """Ask the system to forget a file, which it does for pages that are written out."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _held_bytes(pid):
    try:
        return _fields(pid, "smaps_rollup")["Pss"] * 1024
    except (OSError, KeyError):
        return psutil.Process(pid).memory_info().rss


def _fields(pid, name):
    fields = {}
    with open(f"/proc/{pid}/{name}") as file:
        for line in file:
            key, _, rest = line.partition(":")
            number = rest.split()
            if number and number[0].isdigit():
                fields[key] = int(number[0])
    return fields
