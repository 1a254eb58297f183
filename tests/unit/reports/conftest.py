"""One made-up run, written and reported once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi.reports import RunTables, write_reports
from fenzhi.reports.facts import Facts, gather

from . import sample
from .parse import Page


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without reports; tests only read it."""
    return sample.write(tmp_path_factory.mktemp("run") / "r1", *sample.build())


@pytest.fixture(scope="session")
def tables(run_dir: Path) -> RunTables:
    return RunTables.read(run_dir)


@pytest.fixture(scope="session")
def facts(tables: RunTables) -> Facts:
    return gather(tables)


@pytest.fixture(scope="session", params=["zh", "en"])
def reported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with its reports, in both languages."""
    folder = sample.write(tmp_path_factory.mktemp(request.param) / "r1", *sample.build())
    write_reports(folder, lang=request.param)
    return folder


@pytest.fixture(scope="session")
def statements(reported: Path) -> dict[str, Page]:
    """The statements as a reader sees them, by hospital code."""
    return {
        path.stem: Page(path.read_text(encoding="utf-8"))
        for path in sorted((reported / "statements").iterdir())
    }
