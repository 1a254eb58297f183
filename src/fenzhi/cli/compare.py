"""``fenzhi compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, lang_option, progress_bar, say, show_table

SHOWN = 5
STAGES = {"read runs": "读取两次运算", "compare": "比较"}


def _signed(fen: int) -> str:
    from fenzhi.money import format_fen

    return ("+" if fen > 0 else "") + format_fen(fen)


def show_comparison(summary: Any, tables: Any, lang: str) -> None:
    """Print what a comparison says: both sides, causes, levels, the hospitals that gain and lose most."""
    from fenzhi.money import format_fen
    from fenzhi.reports.compare import words_of
    from fenzhi.reports.compare_causes import shown_causes

    words = words_of(summary, lang)
    for when in ("before", "after"):
        run = summary[when]
        region = f"{run['region']['name']} {run['region']['year']}"
        say(f"{words(when)}: {region}  {run['policy']['title']} · {run['catalog']['title']}  {run['run_id']}")
    for name in summary["warnings"]:
        say(f"· {words(f'warning.{name}')}")
    say(words(f"way_{summary['by']}"))
    totals, counts = summary["totals"], summary["counts"]
    unit = words("scale_yuan")
    rows = [
        (words("stays"), f"{counts['stays_before']:,}", f"{counts['stays_after']:,}", "", ""),
        (
            words("total"),
            format_fen(totals["before_fen"]),
            format_fen(totals["after_fen"]),
            _signed(totals["difference_fen"]),
            unit,
        ),
    ]
    show_table("", ("", words("before"), words("after"), words("difference"), ""), rows)
    causes = [
        (words(f"cause.{name}"), _signed(summary["causes"][name]))
        for name in shown_causes(tables["accounts"])
    ]
    show_table(words("causes"), (words("item"), f"{words('difference')} ({unit})"), causes)
    levels = [
        (
            words.name("level", row["level"]),
            f"{row['hospitals']:,}",
            f"{row['gaining']:,}",
            f"{row['losing']:,}",
            format_fen(row["before_fen"]),
            format_fen(row["after_fen"]),
            _signed(row["difference_fen"]),
        )
        for row in tables["levels"].iter_rows(named=True)
    ]
    sides = (words("before"), words("after"), words("difference"))
    names = (words("level"), words("hospital"), words("gaining"), words("losing"))
    show_table(words("levels"), (*names, *sides), levels)
    hospitals = tables["hospitals"]
    ends = hospitals if hospitals.height <= 2 * SHOWN else hospitals.head(SHOWN).vstack(hospitals.tail(SHOWN))
    shown = [
        (
            row["fixmedins_name"] or row["fixmedins_code"],
            format_fen(row["before_fen"]),
            format_fen(row["after_fen"]),
            _signed(row["difference_fen"]),
        )
        for row in ends.iter_rows(named=True)
    ]
    show_table(words("hospitals"), (words("hospital"), *sides), shown)
    if summary["by"] == "stays":
        say(words("sentence_stays", **{n: f"{counts[f'stays_{n}']:,}" for n in _STAYS}))


_STAYS = ("both", "added", "removed", "ungrouped")


@click.command(
    "compare",
    epilog="例 / example:  fenzhi compare my-region/runs/A my-region/runs/B -o compared",
)
@click.argument("run_a", metavar="RUN_A", type=FOLDER)
@click.argument("run_b", metavar="RUN_B", type=FOLDER)
@click.option(
    "-o", "--output", "target", type=FOLDER, help="新文件夹 / new folder for tables, workbook, page"
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
@lang_option
def command(run_a: Path, run_b: Path, target: Path | None, as_json: bool, lang: str) -> None:
    """比较两次运算:RUN_B 比 RUN_A 多付或少付多少,差额按病例数、病例组合、系数、偏差、点值等原因分解,精确到分。
    同一年度的相同病例逐例比较(两个政策、目录或预算);不同年度按医疗机构合计数比较。

    Compare two finished runs: what RUN_B pays more or less than RUN_A, split into causes that add up to the fen:
    volume, case mix, coefficients, deviation, price. The same stays are compared one by one (two policies,
    catalogues or budgets); other years by the sums of each hospital.
    """
    from fenzhi.pipeline.compare import as_json as json_text
    from fenzhi.pipeline.compare import compare_runs

    with progress_bar(lang) as show:

        def progress(stage: str, share: float) -> None:
            show(STAGES.get(stage, stage) if lang == "zh" else stage, share)

        done = compare_runs(run_a, run_b, target, lang=lang, progress=progress)
    if as_json:
        click.echo(json_text(done))
    else:
        from fenzhi.reports.compare import words_of

        show_comparison(done.summary, done.tables, lang)
        if done.folder is not None:
            say(f"{words_of(done.summary, lang)('files')}: {done.folder / 'compare.html'}")
