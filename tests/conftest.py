"""Shared fixtures. Reference data are found by FENZHI_DATA, a browser by its name; tests that need them are counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from browser.chromium import browser

ROOT = Path(__file__).parents[1]


# A slow machine is no failure; properties of one file differ in the number of examples only.
settings.register_profile("fenzhi", deadline=None)
settings.load_profile("fenzhi")


def _reference_data() -> Path | None:
    given = os.environ.get("FENZHI_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """Folder of the reference data (FENZHI_DATA); the test is skipped without it."""
    folder = _reference_data()
    if folder is None:
        pytest.skip("no reference data: set FENZHI_DATA")
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests the reference data and the browser enabled, or that they were left out."""
    called = [
        getattr(report, "keywords", {})
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
    ]
    needing = sum("reference_data" in keywords for keywords in called)
    program = browser()
    if program is None:
        terminalreporter.write_line(
            "browser: none (install chromium or set FENZHI_BROWSER); tests that open pages were skipped"
        )
    else:
        opened = sum("chromium" in keywords for keywords in called)
        terminalreporter.write_line(f"browser: {Path(program).name} found; {opened} tests opened pages in it")
    folder = _reference_data()
    if folder is None:
        terminalreporter.write_line(
            "reference data: none (set FENZHI_DATA); tests that need them were skipped"
        )
    else:
        terminalreporter.write_line(f"reference data: {folder.name} found; {needing} tests used them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the reference data or the browser, so that it can be counted and selected."""
    for item in items:
        for fixture, mark in (("reference_data", pytest.mark.data), ("chromium", pytest.mark.browser)):
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)
                item.keywords[fixture] = True
