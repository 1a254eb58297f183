"""The picture of the house shows the house."""

from __future__ import annotations

import re

from .blocks import ROOT, blocks

SOURCE = ROOT / "src" / "fenzhi"
DRAWN_WITH_FILES = ("pipeline", "weights")


def _picture() -> dict[str, list[str]]:
    """Return room or file at the top of src/fenzhi -> what is drawn inside it."""
    tree = next(
        b.content for b in blocks(ROOT / "docs" / "architecture.md") if b.content.startswith("src/fenzhi/")
    )
    found: dict[str, list[str]] = {}
    for line in tree.splitlines()[1:]:
        entry = re.match(r"( {2}| {4})([\w.]+/?)", line)
        if line[:1] != " ":
            break
        assert entry, line
        if len(entry[1]) == 2:
            found[entry[2]] = []
            last = entry[2]
        else:
            found[last].append(entry[2])
    return found


def test_every_room_is_drawn_and_no_other() -> None:
    real = {f"{path.name}/" for path in SOURCE.iterdir() if (path / "__init__.py").is_file()}
    real |= {path.name for path in SOURCE.glob("*.py")} - {"__main__.py"}
    assert set(_picture()) == real


def test_rooms_that_are_drawn_with_files_are_complete() -> None:
    picture = _picture()
    for room in DRAWN_WITH_FILES:
        real = {path.name for path in (SOURCE / room).glob("*.py")} - {"__init__.py"}
        assert set(picture[f"{room}/"]) == real, room


def test_decisions_are_numbered_and_linked() -> None:
    files = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for name in files:
        assert f"decisions/{name}" in text, name
        assert (ROOT / "docs" / "decisions" / name).read_text("utf-8").startswith(f"# {int(name[:4])}. ")
