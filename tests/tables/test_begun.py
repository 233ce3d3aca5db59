"""The journal of an output that was begun."""

import os

import pytest

from skpar_select.tables._begun import JOURNAL, Begun
from skpar_select.tables._copies import Done

HEAD = {"source": "abc", "tiles": [[8, 700, 12]]}
PIECES = [(Done(0, row, 0), row * 7) for row in range(5)]


@pytest.fixture
def part(tmp_path):
    journal = Begun.made(tmp_path / "a.repack", HEAD)
    journal.add(PIECES[:3])
    journal.add(PIECES[3:])
    journal.close()
    return tmp_path / "a.repack"


def read(part):
    journal = Begun.read(part)
    if journal is not None:
        journal.close()
    return journal


def test_journal__knows_what_is_done(part):
    assert read(part).head == HEAD
    assert read(part).done == dict(PIECES)


def test_journal__cut_anywhere_knows_what_is_whole_and_goes_on(part):
    path = part.with_suffix(JOURNAL)
    held = path.read_bytes()
    for n_bytes in range(len(held)):
        path.write_bytes(held[:n_bytes])
        n_lines = held[:n_bytes].count(b"\n")
        journal = Begun.read(part)
        if not n_lines:
            assert journal is None
            continue
        assert journal.done == dict(PIECES[: n_lines - 1])
        journal.add(PIECES[n_lines - 1 :])
        journal.close()
        assert path.read_bytes() == held


def test_journal__with_any_byte_changed_believes_no_line_from_there_on(part):
    path = part.with_suffix(JOURNAL)
    held = path.read_bytes()
    for place in range(len(held)):
        wrong = bytearray(held)
        wrong[place] ^= 1
        path.write_bytes(wrong)
        journal = read(part)
        whole = held[:place].count(b"\n")
        assert journal is None if not whole else journal.done == dict(PIECES[: whole - 1])


def test_journal__that_is_a_link_or_locked_is_not_opened(part):
    path = part.with_suffix(JOURNAL)
    first = Begun.read(part)
    assert Begun.read(part) is None
    first.close()
    other = path.with_name("other")
    path.rename(other)
    path.symlink_to(other)
    assert Begun.read(part) is None
    path.unlink()
    os.mkfifo(path)
    assert Begun.read(part) is None
    path.unlink()
    assert Begun.read(part) is None
