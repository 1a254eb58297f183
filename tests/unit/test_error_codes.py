"""docs/errors.md lists exactly the codes that the program can give."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import fenzhi.errors
from fenzhi.catalogs.drg.rules import CONDITION_KINDS

ROOT = Path(__file__).parents[2]
FAMILIES = {
    kind.code
    for kind in vars(fenzhi.errors).values()
    if isinstance(kind, type) and issubclass(kind, fenzhi.errors.FenzhiError)
}
AREAS = (
    *(
        "BUDGET",
        "CASE",
        "CATALOG",
        "DEMO",
        "FORECAST",
        "HISTORY",
        "MAP",
        "MAPPING",
        "OPERATION",
        "OUTPUT",
        "POLICY",
        "RECORDS",
    ),
    *("REGION", "REPORT", "REVIEW", "RUN", "SCENARIO", "SERVE", "TABLE", "WEIGHT"),
)
CODE = re.compile(rf"(?:{'|'.join(AREAS)})_[A-Z]+(?:_[A-Z]+)*")
BRACKETED = re.compile(r"(?:^|[ :])\[([A-Z]+(?:_[A-Z]+)*)\] ")
# Arguments of fenzhi compare.
ARGUMENTS = {"RUN_A", "RUN_B"}
# catalogs/check.py makes them from the names of two columns.
MADE = {"CATALOG_LAYER", "CATALOG_TREATMENT"}


def exported(tree: ast.Module) -> set[str]:
    """Names in ``__all__``: they look like codes."""
    return {
        part.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        for part in ast.walk(node.value)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def codes_in_source() -> set[str]:
    found = set(MADE)
    for file in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = exported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                # WEIGHT_LT and its like are kinds of conditions.
                if CODE.fullmatch(node.value) and node.value not in {*names, *CONDITION_KINDS, *ARGUMENTS}:
                    found.add(node.value)
                found.update(BRACKETED.findall(node.value))
    return found


def listed() -> list[str]:
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `([A-Z_]+)` \|", text, flags=re.MULTILINE)


def test_the_list_is_complete_and_nothing_is_invented():
    codes = listed()
    assert len(codes) == len(set(codes)) > 90
    assert set(codes) - FAMILIES == codes_in_source() - FAMILIES


def test_every_code_has_a_meaning_and_a_remedy():
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 3, row
        assert all(cell.endswith(".") for cell in cells[1:]), row


def test_families_are_named():
    text = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert len(FAMILIES) == 7
    assert {code for code in FAMILIES if f"`{code}`" not in text} == set()
