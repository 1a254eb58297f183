"""``fenzhi group``."""

from __future__ import annotations

from pathlib import Path

import click

from fenzhi.cli.shared import PATH, lang_option, progress_bar, show_table

OUTCOMES = {
    "grouped": "入组",
    "comprehensive": "综合病种",
    "ungrouped": "未入组",
    "excluded": "冲减",
    "rejected": "拒绝",
}


def _meaning(reason: str | None, lang: str) -> str:
    """Return what a reason of grouping or of quality control means."""
    from fenzhi.records import rule_message
    from fenzhi.records.rules import BY_CODE
    from fenzhi.reports.names import NAMES

    known = NAMES.get(f"reason.{reason}")
    if known is not None:
        return known[lang == "en"]
    return rule_message(reason, "en" if lang == "en" else "zh") if reason in BY_CODE else ""


@click.command(
    "group",
    epilog="例 / example:  fenzhi group stays.csv --catalog demonstration-3.0 -o groups.csv",
)
@click.argument("source", metavar="INPUT", type=PATH)
@click.option(
    "--catalog",
    required=True,
    help="目录文件夹或随附目录的名称 / folder of a catalogue, or the name of a shipped one",
)
@click.option(
    "--policy",
    default="national-dip-3.0",
    show_default=True,
    help="政策包文件或随附政策包的名称 / policy pack: a file or a shipped name",
)
@click.option("--columns", type=PATH, help="列名映射文件 / mapping file for foreign column names")
@click.option(
    "-o", "--output", "target", required=True, type=PATH, help="结果文件 .parquet 或 .csv / result file"
)
@click.option("--strict", is_flag=True, help="有被拒绝的行时返回 1 / exit with 1 if rows were rejected")
@lang_option
def command(
    source: Path, catalog: str, policy: str, columns: Path | None, target: Path, strict: bool, lang: str
) -> int:
    """对病例文件(Parquet、CSV、Excel 或文件夹)分组,每行一个结果,顺序不变。只需要分组用的列。

    Group stays: one result row per input row, in the same order. Only the columns for grouping are needed.
    """
    from fenzhi.pipeline import group_file

    notices: list[str] = []
    with progress_bar(lang) as progress:
        counts = group_file(
            source, target, catalog, policy=policy, columns=columns, progress=progress, tell=notices.append
        )
    for notice in notices:
        click.echo(f"{'提示' if lang == 'zh' else 'note'}: {notice}", err=True)
    titles = ("去向", "原因", "说明", "行数") if lang == "zh" else ("outcome", "reason", "meaning", "rows")
    rows = [
        (
            OUTCOMES.get(outcome, outcome) if lang == "zh" else outcome,
            reason or "",
            _meaning(reason, lang),
            f"{n:,}",
        )
        for outcome, reason, n in counts.iter_rows()
    ]
    show_table(str(target), titles, rows)
    rejected = counts.filter(counts["outcome"] == "rejected")["rows"].sum()
    return 1 if strict and rejected else 0
