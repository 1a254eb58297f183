"""Shared fixtures. Reference data are found by FENZHI_DATA; tests that need them say so and are counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
    """Say how many tests the reference data enabled."""
    needing = 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call" and "reference_data" in getattr(report, "keywords", {}):
                needing += 1
    folder = _reference_data()
    if folder is None:
        terminalreporter.write_line(
            "reference data: none (set FENZHI_DATA); tests that need them were skipped"
        )
    else:
        terminalreporter.write_line(f"reference data: {folder.name} found; {needing} tests used them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the reference data, so that it can be counted and selected."""
    for item in items:
        if "reference_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)
            item.keywords["reference_data"] = True
