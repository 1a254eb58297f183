"""Writing without accidents: all or nothing, owner only, nothing overwritten, neutral cells."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.errors import OutputError
from fenzhi.files import neutral, new_dir, new_file, remove_half_written, sweep

POSIX = pytest.mark.skipif(os.name != "posix", reason="modes and process ids of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_half(path, error):
    path.write_text("half")
    raise error


# ---- neutral ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+86", "-5", "@SUM(A1)", "\tx", "\rx", "="])
def test_a_cell_that_would_be_a_formula_gets_an_apostrophe(text):
    assert neutral(text) == "'" + text


@pytest.mark.parametrize("text", ["", "A=1", "12.5", "一级医院", "'=1", " =1"])
def test_other_cells_stay_as_they_are(text):
    assert neutral(text) == text


@given(st.text())
def test_a_neutral_cell_never_begins_like_a_formula_and_loses_nothing(text):
    cell = neutral(text)
    assert cell[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert cell.endswith(text)
    assert neutral(cell) == cell


# ---- new_file -----------------------------------------------------------------------------------------------------


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "out.txt"
    with new_file(target) as aside:
        aside.write_text("whole")
        assert not target.exists()
        assert aside.parent == target.parent  # the rename stays on one disk
    assert target.read_text() == "whole"
    assert names(target.parent) == ["out.txt"]


@POSIX
def test_a_file_is_for_its_owner_only(tmp_path):
    with new_file(tmp_path / "out.txt") as aside:
        aside.write_text("x")
    assert mode(tmp_path / "out.txt") == 0o600


def test_an_existing_file_is_not_overwritten(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(OutputError) as caught, new_file(target):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "OUTPUT_EXISTS"
    assert caught.value.file == str(target)
    assert caught.value.remedy
    assert target.read_text() == "old"


def test_replace_swaps_the_file_whole_and_only_if_the_block_ends_well(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), new_file(target, replace=True) as aside:
        write_half(aside, ZeroDivisionError())
    assert target.read_text() == "old"
    assert names(tmp_path) == ["out.txt"]
    with new_file(target, replace=True) as aside:
        aside.write_text("new")
    assert target.read_text() == "new"


def test_a_full_disk_is_said_in_words_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="No space left") as caught, new_file(tmp_path / "out.txt") as aside:
        write_half(aside, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert caught.value.code == "OUTPUT_WRITE"
    assert names(tmp_path) == []


def test_a_block_that_writes_nothing_makes_no_file(tmp_path):
    with pytest.raises(OutputError), new_file(tmp_path / "out.txt"):
        pass
    assert names(tmp_path) == []


# ---- new_dir ------------------------------------------------------------------------------------------------------


def test_a_folder_appears_only_when_it_is_whole(tmp_path):
    target = tmp_path / "runs" / "1"
    with new_dir(target) as aside:
        (aside / "inner").mkdir()
        (aside / "inner" / "a.txt").write_text("a")
        assert not target.exists()
    assert (target / "inner" / "a.txt").read_text() == "a"
    assert names(target.parent) == ["1"]


@POSIX
def test_a_folder_and_all_in_it_is_for_its_owner_only(tmp_path):
    with new_dir(tmp_path / "run") as aside:
        (aside / "inner").mkdir(mode=0o755)
        (aside / "inner" / "a.txt").write_text("a")
        (aside / "inner" / "a.txt").chmod(0o644)
    assert mode(tmp_path / "run") == mode(tmp_path / "run" / "inner") == 0o700
    assert mode(tmp_path / "run" / "inner" / "a.txt") == 0o600


def test_an_empty_folder_may_be_used_a_full_one_not(tmp_path):
    target = tmp_path / "run"
    target.mkdir()
    with new_dir(target) as aside:
        (aside / "a.txt").write_text("a")
    assert names(target) == ["a.txt"]
    with pytest.raises(OutputError) as caught, new_dir(target):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "OUTPUT_EXISTS"
    assert names(target) == ["a.txt"]


def test_a_file_in_the_way_of_a_folder_stays(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(OutputError) as caught, new_dir(tmp_path / "run"):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "OUTPUT_EXISTS"
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_after_an_error_no_folder_remains(tmp_path, error):
    with pytest.raises(error), new_dir(tmp_path / "run") as aside:
        write_half(aside / "a.txt", error())
    assert names(tmp_path) == []


def test_what_is_being_written_can_be_removed_at_once(tmp_path):
    with new_dir(tmp_path / "done"):
        pass
    with new_dir(tmp_path / "run") as folder, new_file(tmp_path / "a.csv") as file:
        (folder / "a.txt").write_text("half")
        file.write_text("half")
        remove_half_written()
        assert names(tmp_path) == ["done"]
        file.write_text("")
        folder.mkdir()
    assert names(tmp_path) == ["a.csv", "done", "run"]


def test_a_parent_that_is_a_file_is_said_in_words(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError) as caught, new_dir(tmp_path / "runs" / "1"):
        raise AssertionError("the block must not begin")
    assert caught.value.code == "OUTPUT_WRITE"
    assert caught.value.remedy


# ---- sweep --------------------------------------------------------------------------------------------------------


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


@POSIX
def test_sweep_removes_what_ended_processes_left_and_nothing_else(tmp_path):
    gone = ended_process()
    leftover = tmp_path / f".run.{gone}-0123abcd.part"
    leftover.mkdir()
    (leftover / "a.parquet").write_text("half")
    half = tmp_path / f".out.csv.{gone}-89abcdef.part"
    half.write_text("half")
    ours = tmp_path / f".run.{os.getpid()}-0123abcd.part"
    ours.mkdir()
    kept = {ours.name, "run.part", f".run.{gone}-xyz.part", f"run.{gone}-0123abcd.part", "cases.parquet"}
    for name in kept - {ours.name}:
        (tmp_path / name).write_text("keep")
    assert sorted(sweep(tmp_path)) == sorted([leftover, half])
    assert set(names(tmp_path)) == kept
    assert sweep(tmp_path) == []


def test_sweep_of_no_folder_is_nothing(tmp_path):
    assert sweep(tmp_path / "absent") == []


@POSIX
def test_what_a_killed_run_leaves_is_found_by_sweep(tmp_path):
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom fenzhi.files import new_dir\n"
        "with new_dir(Path(sys.argv[1]) / 'run') as aside:\n"
        "    (aside / 'a').write_text('half')\n    os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == 9
    [left] = names(tmp_path)
    assert left != "run"
    assert [path.name for path in sweep(tmp_path)] == [left]
    assert names(tmp_path) == []
