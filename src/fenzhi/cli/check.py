"""``fenzhi check``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fenzhi.cli.shared import PATH, lang_option, say, show_table

if TYPE_CHECKING:
    import polars as pl

SHOWN = 5
_CODE = re.compile(r"\[([A-Z_]+)\]")


def shortened(findings: Iterable[str], lang: str) -> list[str]:
    """Return the findings, of each code the first few and how many more there are."""
    shown: list[str] = []
    counts: Counter[str] = Counter()
    for line in findings:
        code = found[1] if (found := _CODE.search(line)) else ""
        counts[code] += 1
        if counts[code] <= SHOWN:
            shown.append(line)
    more = "另有 {:,} 条 [{}]" if lang == "zh" else "{:,} more of [{}]"
    return shown + [more.format(n - SHOWN, code) for code, n in counts.items() if n > SHOWN]


def show_budget(table: pl.DataFrame, lang: str) -> None:
    """Print the lines of each pool, in the order of subtraction, with what is left after each."""
    from fenzhi.money import format_fen
    from fenzhi.reports.names import NAMES
    from fenzhi.results import BUDGET

    at = 0 if lang == "zh" else 1
    fens = ("planned_fen", "changed_fen", "amount_fen", "left_fen")
    shown = {column.name: (column.zh, column.en)[at] for column in BUDGET}
    titles = [shown[name] for name in ("title", "kind", *fens)]
    for (pool,), lines in table.group_by("pool", maintain_order=True):
        rows = [
            [
                # A figure that is computed is called by its kind, a line as the region calls it.
                NAMES[f"kind.{line['kind']}"][at] if line["line"] == line["kind"] else line["title"],
                NAMES[f"kind.{line['kind']}"][at],
                *(format_fen(line[name]) for name in fens),
            ]
            for line in lines.iter_rows(named=True)
        ]
        show_table(f"budget.toml · {pool}", titles, rows)


@click.command(
    "check", epilog="例 / example:  fenzhi check my-region      fenzhi check stays.csv --columns map.toml"
)
@click.argument("target", metavar="DIR|FILE", type=PATH)
@click.option("--columns", type=PATH, help="列名映射文件 / mapping file for foreign column names")
@click.option("--rejects", type=PATH, help="把问题行写入 CSV / write the rows with findings to a CSV file")
@click.option("--strict", is_flag=True, help="有被拒绝的行时返回 1 / exit with 1 if rows were rejected")
@lang_option
def command(target: Path, columns: Path | None, rejects: Path | None, strict: bool, lang: str) -> int:
    """检查统筹区文件夹(设置、政策、目录、预算、病例质控)或单独的病例文件,不做计算。

    Check a region's folder (settings, policy, catalogue, budget, records) or records alone; computes nothing.
    """
    from fenzhi.pipeline.check import check_records, check_region

    is_region = target.is_dir() and (target / "region.toml").exists()
    result = check_region(target) if is_region else check_records(target, columns)
    for line in result.notices:
        say(f"· {line}")
    for line in shortened(result.findings, lang):
        say(f"! {line}")
    if result.budget is not None:
        show_budget(result.budget, lang)
    titles = ("规则", "级别", "行数", "说明") if lang == "zh" else ("rule", "severity", "rows", "meaning")
    rows = [
        (rule, severity, f"{n:,}", zh if lang == "zh" else en) for rule, severity, n, zh, en in result.rules
    ]
    if rows:
        show_table(str(target), titles, rows)
    said = (
        f"{result.rows:,} 行:接受 {result.accepted:,},拒绝 {result.rejected:,},冲销 {result.netted:,}"
        if lang == "zh"
        else f"{result.rows:,} rows: {result.accepted:,} accepted, "
        f"{result.rejected:,} rejected, {result.netted:,} netted"
    )
    say(said)
    if rejects is not None:
        from fenzhi.pipeline.check import write_findings

        write_findings(result, rejects)
        say(str(rejects))
    return 1 if strict and result.rejected else 0
