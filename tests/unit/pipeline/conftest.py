from __future__ import annotations

from pathlib import Path

import pytest

from cli.small import write_small


@pytest.fixture
def folder(tmp_path) -> Path:
    """The small region of tests/cli/small.py."""
    return write_small(tmp_path / "small")


@pytest.fixture
def edit(folder):
    """Replace the first occurrence of a text in a file of the region."""

    def change(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change
