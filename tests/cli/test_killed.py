"""A run that is killed, or has no room to write: whole runs or none, and the next run sweeps what is left."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import write_small
from fenzhi.results import TABLES

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX signals and permissions")


def whole(run: Path) -> bool:
    """A run folder has its manifest and every table, readable; and all pages, if it has any."""
    names = {path.name for path in run.iterdir()}
    if not {"manifest.json", *(f"{name}.parquet" for name in TABLES)} <= names:
        return False
    for name in TABLES:
        pl.read_parquet(run / f"{name}.parquet")
    return {"region.html", "region.xlsx", "statements"} <= names or not {"region.html", "region.xlsx"} & names


def entries(region: Path) -> tuple[list[Path], list[Path]]:
    """Finished runs, and what is aside."""
    runs = region / "runs"
    if not runs.is_dir():
        return [], []
    found = sorted(runs.iterdir())
    return [p for p in found if p.name[0] != "."], [p for p in found if p.name[0] == "."]


@pytest.fixture
def region(tmp_path) -> Path:
    return write_small(tmp_path / "small")


def start(region: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fenzhi", "run", region],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_writing(process: subprocess.Popen[str], region: Path) -> None:
    """Return when the run's folder lies aside, half-written."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        if entries(region)[1]:
            return
        time.sleep(0.002)
    raise AssertionError("the run did not begin to write")


@posix
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("attempt", range(25))
def test_killed_at_some_moment(region, number, attempt):
    process = start(region)
    if attempt:
        wait_until_writing(process, region)
        time.sleep(random.uniform(0, 0.4))
    else:
        time.sleep(random.uniform(0, 2))
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    finished, aside = entries(region)
    assert all(whole(run) for run in finished)
    if process.returncode == 0:
        assert len(finished) == 1
    elif number == signal.SIGTERM and process.returncode == 130:
        assert (finished, aside, out) == ([], [], "")
        assert err.strip() == "stopped; nothing half-written remains"
    # The next run is clean, whatever the dead one left.
    done("run", region, "--no-reports")
    finished, aside = entries(region)
    assert aside == []
    assert finished
    assert all(whole(run) for run in finished)


@posix
def test_sigkill_while_writing_leaves_only_a_folder_aside(region):
    process = start(region)
    wait_until_writing(process, region)
    process.kill()
    process.communicate(timeout=60)
    finished, aside = entries(region)
    assert finished == []
    assert [path.name.endswith(".part") for path in aside] == [True]
    # What a living process writes is left alone.
    other = region / "runs" / f".20270101T000000Z.{os.getpid()}-0123abcd.part"
    other.mkdir()
    done("run", region, "--no-reports")
    finished, aside = entries(region)
    assert (len(finished), aside) == (1, [other])


@posix
def test_ctrl_c_ends_like_sigterm(region):
    process = start(region)
    wait_until_writing(process, region)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert (process.returncode, entries(region)) == (130, ([], [])) or len(entries(region)[0]) == 1


@contextmanager
def tiny_disk(kib: int):
    """A file system of that size, where the system lets us have one."""
    folder = Path(tempfile.mkdtemp(prefix="fenzhi-disk-"))
    try:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder], capture_output=True, check=False
        )
        mounted = made.returncode == 0
    except OSError:
        mounted = False
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def full(*_args: object, **_more: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def full_as_polars_says(*_args: object, **_more: object) -> None:
    raise pl.exceptions.ComputeError(
        "parquet: File out of specification: underlying IO error: No space left on device (os error 28)"
    )


def assert_no_space(said, region: Path) -> None:
    assert (said.code, said.out) == (2, "")
    assert "Traceback" not in said.err
    first, where, remedy = said.err.splitlines()
    assert first == "[OUTPUT_WRITE] cannot write: No space left on device"
    assert where.startswith(f"  where: {region / 'runs'}{os.sep}2")
    assert remedy == "  to do: free some space or choose another folder, then run again"
    assert entries(region) == ([], [])


# The first sizes hold the region but not all tables, the others the tables but not all pages.
@pytest.mark.parametrize("kib", [140, 170, 220, 300])
def test_a_full_disk(kib):
    with tiny_disk(kib) as disk:
        if disk is None:
            pytest.skip("no small file system can be mounted here")
        assert_no_space(fenzhi("run", write_small(disk / "small")), disk / "small")


@pytest.mark.parametrize("fails", [full, full_as_polars_says])
def test_a_full_disk_while_tables_are_written(region, monkeypatch, fails):
    monkeypatch.setattr(pl.DataFrame, "write_parquet", fails)
    assert_no_space(fenzhi("run", region), region)


def test_a_full_disk_while_pages_and_workbook_are_written(region, monkeypatch):
    import xlsxwriter.workbook

    monkeypatch.setattr(xlsxwriter.workbook.Workbook, "_store_workbook", full)
    said = fenzhi("run", region)
    assert_no_space(said, region)
    assert "region.xlsx" in said.err


def test_a_full_disk_while_results_of_group_are_written(region, monkeypatch, tmp_path):
    monkeypatch.setattr(pl.DataFrame, "write_parquet", full_as_polars_says)
    said = fenzhi("group", region / "records", "--catalog", region / "catalog", "-o", tmp_path / "r.parquet")
    assert said.code == 2
    assert said.err.startswith("[OUTPUT_WRITE] cannot write: No space left on device\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small"]


def test_a_full_disk_while_the_demo_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(pl.DataFrame, "write_csv", full)
    said = fenzhi("demo", tmp_path / "region", "--stays", "1000", "--hospitals", "10")
    assert said.code == 2
    assert said.err.startswith("[OUTPUT_WRITE] cannot write: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def not_root():
    """As root nothing is forbidden, so be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
def test_a_folder_that_must_not_be_written_to():
    # pytest's own folder is closed to others, so this one lies beside it.
    top = Path(tempfile.mkdtemp(prefix="fenzhi-readonly-"))
    try:
        top.chmod(0o755)
        region = write_small(top / "small")
        done("run", region)  # loads what is loaded late, as somebody who may read it
        shutil.rmtree(region / "runs")
        region.chmod(0o555)
        with not_root():
            said = fenzhi("run", region)
            assert (said.code, said.out) == (2, "")
            assert said.err.startswith("[OUTPUT_WRITE] cannot write: Permission denied\n")
            assert f"where: {region / 'runs'}" in said.err
            target = top / "groups.csv"
            said = fenzhi("group", region / "records", "--catalog", region / "catalog", "-o", target)
            assert (said.code, target.exists()) == (2, False)
            assert said.err.startswith("[OUTPUT_WRITE] cannot write: Permission denied\n")
        (region / "records" / "2027.csv").chmod(0)
        with not_root():
            said = fenzhi("run", region)
            assert said.code == 2
            assert "[RECORDS_MISSING] cannot read the file: Permission denied" in said.err
        region.chmod(0o755)
        assert stat.S_IMODE(region.stat().st_mode) == 0o755
        assert entries(region) == ([], [])
    finally:
        shutil.rmtree(top)


def test_runs_is_a_file(region):
    (region / "runs").write_text("in the way")
    said = fenzhi("run", region)
    assert said.code == 2
    assert said.err.startswith("[OUTPUT_WRITE] cannot write: ")
    assert (region / "runs").read_text() == "in the way"


def test_a_demo_is_not_written_over_something(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("three years of work")
    said = fenzhi("demo", folder, "--stays", "1000", "--hospitals", "10")
    assert said.code == 2
    assert said.err.startswith("[OUTPUT_EXISTS] the folder exists already and is not empty\n")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_runs_of_one_second_get_names_of_their_own(region):
    for _ in range(3):
        done("run", region, "--no-reports")
    assert len(runs_of(region)) == 3
