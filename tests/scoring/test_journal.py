"""Journals: what is cut, damaged, moved or forged is never taken for a result."""

import os

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skpar_select.scoring._journal import JournalReader, JournalWriter, Kind, Record, Seal

SEAL = Seal(b"k" * 32, "e" * 64)


def record(start, stop, seed=0):
    rng = np.random.default_rng(seed)
    return Record(Kind.RESULT, range(start, stop), {"score": rng.random(stop - start)})


RECORDS = [
    record(0, 4),
    Record(Kind.CLAIM, range(8, 12), {}),
    Record(
        Kind.RESULT,
        np.array([9, 4, 7]),
        {"score": np.array([0.1, np.nan, 3.0]), "n_observed": np.ones((3, 2))},
    ),
    record(10, 12, 1),
]


def write(path, records=RECORDS, seal=SEAL):
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL)
    writer = JournalWriter(descriptor, seal)
    ends = []
    for each in records:
        writer.append(each)
        ends.append(path.stat().st_size)
    writer.close()
    return ends


def read(path, seal=SEAL):
    return list(JournalReader(path, seal).new_records())


def same(one, other):
    assert one.kind is other.kind
    assert_array_equal(np.asarray(one.columns), np.asarray(other.columns))
    assert type(one.columns) is type(other.columns)
    assert list(one.result) == list(other.result)
    for name, values in one.result.items():
        assert_array_equal(values, other.result[name])
    return True


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "a.journal"
    return path, write(path)


def test_records__come_back_as_they_were_written(journal):
    path, _ = journal
    for got, expected in zip(read(path), RECORDS, strict=True):
        assert same(got, expected)
        assert all(values.flags.writeable for values in got.result.values())


def test_journal__cut_at_any_byte_gives_the_records_before(journal):
    path, ends = journal
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        got = read(path)
        assert len(got) == sum(end <= length for end in ends)
        assert all(map(same, got, RECORDS))


def test_journal__with_any_byte_flipped_loses_one_record_at_most(journal):
    path, _ = journal
    whole = path.read_bytes()
    columns = [str(each.columns) for each in RECORDS]
    for place in range(len(whole)):
        for bit in (1, 128):
            damaged = bytearray(whole)
            damaged[place] ^= bit
            path.write_bytes(damaged)
            got = read(path)
            assert len(got) == 3
            for each in got:
                assert same(each, RECORDS[columns.index(str(each.columns))])


def test_records__of_another_entry_or_key_do_not_count(journal, tmp_path):
    path, _ = journal
    assert read(path, Seal(SEAL.key, "f" * 64)) == []
    assert read(path, Seal(b"o" * 32, SEAL.entry)) == []
    other = tmp_path / "other.journal"
    write(other, [record(0, 4, 9)], Seal(SEAL.key, "f" * 64))
    path.write_bytes(other.read_bytes() + path.read_bytes())
    assert all(map(same, read(path), RECORDS))


def test_reader__goes_on_where_it_was(tmp_path):
    path = tmp_path / "a.journal"
    ends = write(path)
    whole = path.read_bytes()
    path.write_bytes(b"")
    reader, got = JournalReader(path, SEAL), []
    for length in [0, 3, ends[0], ends[0] + 20, ends[1] - 1, ends[3]]:
        with path.open("r+b") as file:
            file.write(whole[:length])
        got.append(len(list(reader.new_records())))
    assert got == [0, 0, 1, 0, 0, 3]


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "link", "other"])
def test_what_is_no_journal__holds_no_record_and_nobody_waits(tmp_path, kind):
    path = tmp_path / "a.journal"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        write(tmp_path / "b")
        path.symlink_to(tmp_path / "b")
    elif kind == "other":
        path.write_bytes(b"\x89SJ1" * 1000)
    assert read(path) == []
