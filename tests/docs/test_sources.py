"""Every shipped pack and catalogue has its place in SOURCES.md, and says there what its file says."""

from __future__ import annotations

import tomllib

import pytest

from fenzhi.policy import load_policy
from fenzhi.policy.base import Confidence

from .blocks import ROOT

CATALOGS = ROOT / "catalogs"
PACKS = sorted(path.stem for path in (CATALOGS / "policies").glob("*.toml"))


def _part(pack: str) -> str:
    text = (CATALOGS / "policies" / "SOURCES.md").read_text("utf-8")
    assert f"## {pack}\n" in text
    return text.split(f"## {pack}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("pack", PACKS)
def test_confidence_of_each_section_agrees(pack: str) -> None:
    own = tomllib.loads((CATALOGS / "policies" / f"{pack}.toml").read_text("utf-8"))
    policy = load_policy(pack)
    said = {}
    for line in _part(pack).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[2] in set(Confidence):
            said.update(dict.fromkeys((name.strip() for name in cells[0].split(",")), cells[2]))
    written = {name for name, section in own.items() if name != "meta" and "confidence" in section}
    assert set(said) == written
    for name, confidence in said.items():
        assert getattr(policy, name).confidence == confidence, name


@pytest.mark.parametrize("pack", PACKS)
def test_every_written_section_says_where_it_comes_from(pack: str) -> None:
    own = tomllib.loads((CATALOGS / "policies" / f"{pack}.toml").read_text("utf-8"))
    for name, section in own.items():
        if name != "meta":
            assert section.get("cite"), name


def test_every_catalogue_is_listed() -> None:
    text = (CATALOGS / "dip" / "SOURCES.md").read_text("utf-8")
    shipped = sorted(path.parent.name for path in (CATALOGS / "dip").glob("*/catalog.toml"))
    assert shipped
    for name in shipped:
        assert f"| `{name}` |" in text
        kind = tomllib.loads((CATALOGS / "dip" / name / "catalog.toml").read_text("utf-8"))["catalog"]["kind"]
        assert f"| `{name}` | {kind} |" in text
