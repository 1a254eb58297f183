"""One browser for all tests of pages, and a demo region's run to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browser.chromium import Chromium, browser
from cli.calls import done, runs_of


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A headless browser; the test is skipped without one."""
    program = browser()
    if program is None:
        pytest.skip("no browser: install chromium, or set FENZHI_BROWSER")
    started = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of a demo region's run with its pages."""
    region = tmp_path_factory.mktemp("pages") / "region"
    done("demo", region, "--stays", "3000", "--hospitals", "10", "--seed", "7")
    done("run", region)
    return runs_of(region)[0]
