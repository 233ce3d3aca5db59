"""Files that are being written: made exclusively, put in their places whole, or taken away."""

import os
import stat
import subprocess
import sys

import pytest

from skpar_select.tables import Output
from skpar_select.tables._output import PART, followed, make_part, output_of, parts_of, sweep


def write(output, text):
    os.pwrite(output.descriptor, text.encode(), 0)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_output__shows_the_old_file_until_the_new_one_is_whole(tmp_path):
    file = tmp_path / "scores.csv"
    file.write_text("before")
    with Output(file) as output:
        write(output, "after")
        assert output.part.parent == tmp_path
        assert file.read_text() == "before"
        output.replace()
        assert file.read_text() == "after"
    assert list(tmp_path.iterdir()) == [file]


def test_output__and_its_folder_reach_the_disk(tmp_path, monkeypatch):
    file = tmp_path / "scores.csv"
    synchronized = []

    def fsync(descriptor):
        synchronized.append((os.fstat(descriptor).st_ino, file.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with Output(file) as output:
        write(output, "whole")
        output.replace()
    assert synchronized == [(file.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("fault", [OSError("the disk is gone"), KeyboardInterrupt()])
def test_output__leaves_the_old_file_after_a_fault(tmp_path, fault):
    file = tmp_path / "scores.csv"
    file.write_text("before")

    def fail():
        with Output(file) as output:
            write(output, "half")
            raise fault

    with pytest.raises(type(fault)):
        fail()
    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_output__that_is_not_put_in_its_place_is_taken_away(tmp_path):
    with Output(tmp_path / "scores.csv") as output:
        assert output.part.exists()
    assert list(tmp_path.iterdir()) == []


def test_output__writes_the_file_that_a_link_names(tmp_path):
    (tmp_path / "results").mkdir()
    target, link = tmp_path / "results" / "scores.csv", tmp_path / "link.csv"
    target.write_text("before")
    link.symlink_to(target)
    with Output(link) as output:
        assert output.part.parent == target.parent
        # What the link names later is another file's affair.
        link.unlink()
        link.symlink_to(tmp_path / "other.csv")
        write(output, "after")
        output.replace()
    assert target.read_text() == "after"
    assert not (tmp_path / "other.csv").exists()


def test_followed__goes_through_every_link_and_ends(tmp_path):
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to(tmp_path / "three")
    assert followed(tmp_path / "one") == tmp_path / "three"
    (tmp_path / "three").symlink_to("one")
    followed(tmp_path / "one")


def test_output__has_a_name_of_its_own_that_fits_any_folder(tmp_path):
    file = tmp_path / ("x" * 251 + ".csv")
    with Output(file) as one, Output(file) as other:
        assert len(one.part.name) < 64
        assert one.part != other.part
        write(other, "other")
        other.replace()
    assert file.read_text() == "other"


def test_output__never_opens_what_lies_at_its_name(tmp_path, monkeypatch):
    victim, names = tmp_path / "victim", iter(["first", "second"])
    victim.write_text("precious")
    monkeypatch.setattr("secrets.token_hex", lambda n_bytes: "first")
    with Output(tmp_path / "a.csv") as output:
        name = output.part
    name.symlink_to(victim)
    monkeypatch.setattr("secrets.token_hex", lambda n_bytes: next(names))
    with pytest.raises(OSError, match=r"a\.csv' cannot be written \(File exists\)"):
        Output(tmp_path / "a.csv")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_output__keeps_the_mode_of_what_it_replaces(tmp_path, mode):
    file = tmp_path / "scores.csv"
    file.touch()
    file.chmod(mode)
    with Output(file) as output:
        assert mode_of(output.part) == mode
        output.replace()
    assert mode_of(file) == mode


def test_output__that_is_new_has_the_mode_of_a_new_file(tmp_path):
    (tmp_path / "usual").touch()
    with Output(tmp_path / "scores.csv") as output:
        output.replace()
    assert mode_of(tmp_path / "scores.csv") == mode_of(tmp_path / "usual")


def test_output__replaces_nothing_that_came_in_the_meantime(tmp_path):
    file = tmp_path / "scores.csv"
    with Output(file, overwrite=False) as output:
        file.write_text("another's")
        message = r"scores\.csv' has come into being while .*\. Choose another name"
        with pytest.raises(FileExistsError, match=message):
            output.replace()
    assert file.read_text() == "another's"
    assert list(tmp_path.iterdir()) == [file]


def test_output__takes_its_name_where_nothing_lies(tmp_path):
    with Output(tmp_path / "scores.csv", overwrite=False) as output:
        write(output, "new")
        output.replace()
    assert (tmp_path / "scores.csv").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


def test_output__tells_that_its_temporary_name_was_taken(tmp_path):
    with Output(tmp_path / "scores.csv") as output:
        output.part.unlink()
        output.part.write_text("forged")
        with pytest.raises(OSError, match=r"another file has taken its temporary name"):
            output.replace()
    assert not (tmp_path / "scores.csv").exists()


def test_output__raises_the_fault_of_a_write_before_it_replaces(tmp_path):
    with Output(tmp_path / "scores.csv") as output:
        output.fault = OSError("lost")
        with pytest.raises(OSError, match="lost"):
            output.replace()
    assert list(tmp_path.iterdir()) == []


def test_output_of__gives_what_is_made_already(tmp_path):
    with Output(tmp_path / "a.csv") as output, output_of(output) as same:
        assert same is output
    with output_of(tmp_path / "a.csv") as made:
        assert made.part.exists()
    assert list(tmp_path.iterdir()) == []


class TestSpace:
    def test_reserve__refuses_more_than_the_disk_has(self, tmp_path):
        with Output(tmp_path / "a.h5") as output:
            message = (
                r"a\.h5' cannot be written \(No space left on device\): it takes 1\.15292e\+06 TB, and "
                r"'.*' has .* free\. .*Free some space, or choose another folder\.$"
            )
            with pytest.raises(OSError, match=message):
                output.reserve(2**60)

    def test_reserve__takes_space_and_leaves_the_file_empty(self, tmp_path):
        with Output(tmp_path / "a.h5") as output:
            output.reserve(2**20)
            status = output.part.stat()
            assert status.st_size == 0
            if not status.st_blocks:
                pytest.skip("this file system takes no space before it is written")
            assert status.st_blocks * 512 >= 2**20

    def test_reserve__knows_the_limit_of_file_size(self, tmp_path):
        program = (
            "import resource, sys; from skpar_select.tables import Output\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "with Output(sys.argv[1]) as output:\n"
            "    output.reserve(999)\n"
            "    try: output.reserve(1001)\n"
            "    except OSError as error: print(error)\n"
        )
        run = [sys.executable, "-c", program, str(tmp_path / "a.h5")]
        said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
        assert "a.h5' cannot be written (File too large): it takes 1.1 kB, and" in said


class TestSweep:
    @pytest.fixture
    def left(self, tmp_path):
        """What a killed writer to a.csv has left."""
        part, descriptor = make_part(tmp_path / "a.csv", PART)
        os.close(descriptor)
        return part

    def test_next_writer__takes_away_what_a_dead_one_left(self, left, tmp_path):
        with Output(tmp_path / "a.csv"):
            assert not left.exists()
        assert list(tmp_path.iterdir()) == []

    def test_killed_process__leaves_nothing_after_the_next(self, tmp_path):
        program = (
            "import os, sys; from skpar_select.tables import Output\n"
            "Output(sys.argv[1]); os.kill(os.getpid(), 9)"
        )
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.csv")], check=False)
        assert len(list(tmp_path.iterdir())) == 1
        with Output(tmp_path / "a.csv"):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_writer_killed_between_its_names__leaves_the_result_and_no_other(self, tmp_path):
        target = tmp_path / "a.csv"
        program = (
            "import os, pathlib, sys; from skpar_select.tables import Output\n"
            "pathlib.Path.unlink = lambda *_, **__: os.kill(os.getpid(), 9)\n"
            "output = Output(sys.argv[1], overwrite=False)\n"
            "os.write(output.descriptor, b'whole'); output.replace()"
        )
        subprocess.run([sys.executable, "-c", program, str(target)], check=False)
        assert len(list(tmp_path.iterdir())) == 2
        with Output(target):
            assert target.read_text() == "whole"
        assert list(tmp_path.iterdir()) == [target]

    def test_part_with_a_third_name__stays(self, left, tmp_path):
        os.link(left, tmp_path / "a.csv")
        os.link(left, tmp_path / "third")
        sweep(tmp_path / "a.csv", PART)
        assert left.exists()

    def test_live_writer__keeps_its_file(self, tmp_path):
        with Output(tmp_path / "a.csv") as one, Output(tmp_path / "a.csv"):
            assert one.part.exists()

    def test_files_of_other_outputs__stay(self, left, tmp_path):
        with Output(tmp_path / "b.csv"):
            pass
        assert left.exists()

    def test_what_is_not_a_plain_file_of_ones_own__stays(self, left, tmp_path):
        victim = tmp_path / "victim"
        victim.write_text("precious")
        others = [left.with_name(f"{left.name[:-10]}{number}{PART}") for number in range(3)]
        others[0].symlink_to(victim)
        os.link(victim, others[1])
        os.mkfifo(others[2])
        left.unlink()
        sweep(tmp_path / "a.csv", PART)
        assert all(os.path.lexists(other) for other in others)
        assert victim.read_text() == "precious"

    def test_file_of_another_user__stays(self, left, tmp_path):
        if os.geteuid():
            pytest.skip("only root gives files to others")
        os.chown(left, 12345, 12345)
        sweep(tmp_path / "a.csv", PART)
        assert left.exists()

    def test_file_of_another_host__stays_until_it_is_old(self, left, tmp_path):
        theirs = left.with_name(left.name[:16] + "01234567" + left.name[24:])
        left.rename(theirs)
        assert list(parts_of(tmp_path / "a.csv", PART)) == []
        os.utime(theirs, (0, 0))
        sweep(tmp_path / "a.csv", PART)
        assert not theirs.exists()
