"""Regions that several tests look at; none of them changes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.calls import done, runs_of
from cli.small import write_small

DEMO = ("--stays", "3000", "--hospitals", "10", "--seed", "7")


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Tables are as wide as where there is no terminal, whoever runs the tests."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """The demo region with one finished run (pages in Chinese)."""
    folder = tmp_path_factory.mktemp("demo") / "region"
    done("demo", folder, *DEMO)
    done("run", folder)
    return folder


@pytest.fixture(scope="session")
def demo_run(demo) -> Path:
    return runs_of(demo)[0]


@pytest.fixture
def small(tmp_path) -> Path:
    """The small region, fresh."""
    return write_small(tmp_path / "small")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> Path:
    """A finished run of the small region."""
    folder = write_small(tmp_path_factory.mktemp("small") / "small")
    done("run", folder, "--no-reports")
    return runs_of(folder)[0]
