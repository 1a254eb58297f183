"""The READMEs: scripts exist, Python runs, links and pictures are there, both languages say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fenzhi.pipeline.demo import make_demo

from .blocks import ROOT, blocks, prose

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = sorted({*READMES, *(ROOT / "docs").rglob("*.md"), *(ROOT / "catalogs").rglob("*.md")})
PICTURE_MAX_BYTES = 400_000


@pytest.fixture(scope="module")
def demo_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small demo region in ``demo-region``."""
    place = tmp_path_factory.mktemp("readme")
    make_demo(place / "demo-region", stays=1_000, hospitals=10)
    return place


def test_python_of_the_readme_runs(
    demo_place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(demo_place)
    codes = [block for block in blocks(READMES[0]) if block.language == "python"]
    assert codes
    for block in codes:
        exec(compile(block.content, f"README.md:{block.line}", "exec"), {})
    said = capsys.readouterr().out
    assert "fixmedins" in said
    assert "基金应付" in said


def test_both_readmes_have_the_same_blocks() -> None:
    def bare(page: Path) -> list[tuple[str, str]]:
        return [(block.language, re.sub(r" *#.*", "", block.content)) for block in blocks(page)]

    assert bare(READMES[0]) == bare(READMES[1])


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_scripts_exist(page: Path) -> None:
    named = re.findall(r"python3 (scripts/\w+)", "".join(block.content for block in blocks(page)))
    assert named == ["scripts/demo", "scripts/test"]
    assert all((ROOT / script).is_file() for script in named)


def test_public_names_of_the_readme_exist() -> None:
    import fenzhi

    names = {name for page in PAGES for name in re.findall(r"\bfenzhi\.([a-z_]+)\(", page.read_text("utf-8"))}
    assert {"run", "read_stays", "group", "explain"} <= names
    assert names <= set(fenzhi.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target}"


def test_commands_in_prose_exist() -> None:
    from fenzhi.cli import COMMANDS

    for page in PAGES:
        for command in re.findall(r"`fenzhi ([a-z]+)", page.read_text("utf-8")):
            assert command in COMMANDS, f"{page.name}: fenzhi {command}"


def test_pictures_are_small_png() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.suffix == ".png"
        assert picture.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        assert picture.stat().st_size < PICTURE_MAX_BYTES, picture.name
    used = {
        name for page in READMES for name in re.findall(r"docs/images/([\w.-]+)", page.read_text("utf-8"))
    }
    assert used == {picture.name for picture in pictures}
