"""The year by hand: the page's files are run; every figure of its tables is the run's, every calculation is right.

The line above a table says where its figures stand: ``<!-- figures: TABLE where SQL | COLUMN ... -->``. A column is
one of the result table, or ``=``: a calculation whose value is the figure of the column to the right.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

import fenzhi
from fenzhi.pipeline import Run

from .blocks import ROOT, blocks, prose

PAGE = ROOT / "docs" / "a-year-by-hand.md"
PAGES = (PAGE, ROOT / "docs" / "a-year-by-hand.zh-CN.md")
_SPEC = re.compile(r"<!-- figures: (\w+)(?: where (.+?))? \| (.+?) -->\n\n((?:\|.*\n)+)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_OPERATIONS: dict[type, Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True)
class Figures:
    """A table of the page: where its figures stand, its columns, its cells."""

    table: str
    where: str | None
    columns: list[str]
    rows: list[list[str]]


def tables(page: Path) -> list[Figures]:
    found = []
    for table, where, columns, text in _SPEC.findall(page.read_text(encoding="utf-8")):
        lines = [
            [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in text.splitlines()
        ]
        found.append(Figures(table, where or None, columns.split(), lines[2:]))
    return found


def value(calculation: str) -> Fraction:
    """Work out a calculation in fractions: numbers, + - x /, brackets, min."""

    def of(node: ast.expr) -> Fraction:
        if isinstance(node, ast.Constant):
            return Fraction(ast.get_source_segment(text, node) or "")
        if isinstance(node, ast.BinOp):
            return _OPERATIONS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.UnaryOp):
            assert isinstance(node.op, ast.USub)
            return -of(node.operand)
        assert isinstance(node, ast.Call), calculation
        assert isinstance(node.func, ast.Name)
        assert node.func.id == "min"
        return min(of(one) for one in node.args)

    text = _THOUSANDS.sub("", calculation).replace("x", "*")
    return of(ast.parse(text, mode="eval").body)


def places(column: str) -> int:
    return {"fen": 2, "e4": 4}.get(column.rsplit("_", 1)[-1], 0)


def shown(found: object, column: str) -> str:
    """A value of the result table as the page writes it: yuan with two decimals, points without needless zeros."""
    if found is None:
        return ""
    if not isinstance(found, int):
        return str(found)
    if not places(column):
        return str(found)
    sign, whole, rest = "-" * (found < 0), *divmod(abs(found), 10 ** places(column))
    decimals = f"{rest:0{places(column)}d}"
    if places(column) == 4:
        decimals = decimals.rstrip("0")
    return f"{sign}{whole:,}" + (f".{decimals}" if decimals else "")


def half_up(number: Fraction, column: str) -> int:
    return int((number * 10 ** places(column) + Fraction(1, 2)) // 1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("by-hand")
    for block in blocks(PAGE):
        path = folder / block.options["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.content, encoding="utf-8")
    return fenzhi.run(folder, reports=False)


@pytest.fixture(scope="module")
def frames(year: Run) -> dict[str, pl.DataFrame]:
    """The result tables, and what the page shows of the manifest and the ledger."""
    clearing = year.manifest["clearing"]
    share = half_up(Fraction(clearing["pays_fen"], clearing["year_fen"]), "share_e4")
    fact = {"mean_all_fen": year.manifest["mean_cost_fen"], **clearing, "share_e4": share}
    entries = year.tables["ledger"]
    sides = [
        entries.select("pool", pl.col(side).alias("account"), pl.col("amount_fen") * sign)
        for side, sign in (("debit", 1), ("credit", -1))
    ]
    left = pl.concat(sides).group_by("pool", "account").agg(pl.col("amount_fen").sum().alias("balance_fen"))
    hospitals = year.tables["hospitals"]
    shares = [
        half_up(Fraction(booked, payable), "share_e4")
        for booked, payable in hospitals.select("booked_fen", "payable_fen").iter_rows()
    ]
    return year.tables | {
        "facts": pl.DataFrame([fact]),
        "classes": pl.DataFrame(year.manifest["classes"]),
        "balances": left,
        "sharing": hospitals.with_columns(pl.Series("booked_share_e4", shares)),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_figure_is_the_run_s(page: Path, frames: dict[str, pl.DataFrame]) -> None:
    found = tables(page)
    assert len(found) >= 20
    for one in found:
        frame = frames[one.table]
        if one.where is not None:
            frame = frame.filter(pl.sql_expr(one.where))
        places = [at for at, column in enumerate(one.columns) if column != "="]
        names = [one.columns[at] for at in places]
        want = [
            [shown(cell, name) for cell, name in zip(row, names, strict=True)]
            for row in frame.select(names).rows()
        ]
        assert all(len(row) == len(one.columns) for row in one.rows), one.columns
        assert sorted([row[at] for at in places] for row in one.rows) == sorted(want), one.table


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_calculation_gives_the_figure_beside_it(page: Path) -> None:
    done = 0
    for one in tables(page):
        for row in one.rows:
            for at, name in enumerate(one.columns):
                if name != "=":
                    continue
                figure = row[at + 1]
                if not row[at]:
                    assert figure in ("", "0.00"), row
                    continue
                assert shown(half_up(value(row[at]), one.columns[at + 1]), one.columns[at + 1]) == figure, row
                done += 1
    assert done > 200


def _outside(page: Path) -> Iterator[str]:
    """Lines of the page that are neither files, tables that are checked, code nor numbers of sections."""
    text = _SPEC.sub("", prose(page))
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|^## \d+\.", "", text, flags=re.MULTILINE)
    yield from (re.sub(r"\b[HS]\d+\b", "", line) for line in text.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_figure_stands_unchecked(page: Path) -> None:
    wrong = [line for line in _outside(page) if re.search(r"\d", line) or line.startswith("|")]
    assert not wrong


def test_both_pages_have_the_same_files_and_tables() -> None:
    english, chinese = PAGES
    assert [(b.options, b.content) for b in blocks(english)] == [
        (b.options, b.content) for b in blocks(chinese)
    ]
    assert tables(english) == tables(chinese)


def test_the_ledger_s_pools_add_up_to_nothing(frames: dict[str, pl.DataFrame]) -> None:
    sums = frames["balances"].group_by("pool").agg(pl.col("balance_fen").sum())
    assert sums["balance_fen"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("calculation", "expected"),
    [("1,500 x 1.25", 1875), ("min(7 / 2, 1.2 x 8)", Fraction(7, 2)), ("-(2 - 0.5)", Fraction(-3, 2))],
)
def test_calculations_are_worked_out_exactly(calculation: str, expected: Fraction) -> None:
    assert value(calculation) == expected
