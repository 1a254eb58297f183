"""``fenzhi catalog negotiate``."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, progress_bar, say, show_table


@click.command(
    "negotiate",
    epilog="例 / example:  fenzhi catalog negotiate my-region --overrides round-1.csv -o round-1",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--overrides",
    required=True,
    type=PATH,
    help="谈判分值 CSV:group_id,weight,who,why,when / negotiated weights",
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="NEW",
    type=PATH,
    help="新文件夹:目录及本轮分值、weight_overrides.csv、对各机构的影响 / "
    "new folder: the catalogue with the round, the file for the region, the effect",
)
@click.option(
    "--on",
    "day",
    metavar="DATE",
    type=click.DateTime(["%Y-%m-%d"]),
    help="写出这一天的目录,缺省为年末 / write the catalogue of this day, by default that of the last one",
)
@lang_option
def negotiate(folder: Path, overrides: Path, target: Path | None, day: datetime | None, lang: str) -> None:
    """专家谈判调整分值:总量不变,其他病种按同一比例调整;定稿前列出对每家机构的影响。统筹区文件夹不变,
    定稿时把 weight_overrides.csv 放入统筹区。

    Negotiated weights, looked at before they are final: the total is kept, all other groups change by one factor, and
    the effect on every hospital is shown. The region stays as it is; to make a round final, put its
    weight_overrides.csv into the region's folder. `fenzhi catalog diff` compares two rounds.
    """
    from fenzhi.cli.compare import show_comparison
    from fenzhi.money import format_e4
    from fenzhi.pipeline.negotiate import negotiate_weights

    with progress_bar(lang) as progress:
        on = None if day is None else day.date()
        done = negotiate_weights(folder, overrides, target, day=on, lang=lang, progress=progress)
    zh = lang == "zh"
    rows = [
        (
            row["group_id"],
            row["name"] or "-",
            f"{row['history_cases']:,}",
            *(
                "-" if row[name] is None else format_e4(row[name])
                for name in ("weight_before_e4", "weight_e4")
            ),
            row["who"],
            row["why"],
            row["when"] or "-",
        )
        for row in done.weights.filter(how="agreed").iter_rows(named=True)
    ]
    titles = ("病种", "名称", "历史病例", "原分值", "谈判分值", "由谁", "理由", "日期")
    english = ("group", "name", "history stays", "weight before", "agreed", "who", "why", "when")
    show_table("谈判分值" if zh else "negotiated weights", titles if zh else english, rows)
    for fact in done.facts:
        figures = {
            "factor": f"{float(Fraction(fact['factor'])):.6f}",
            "total": format_e4(fact["total_e4"]),
            "left": format_e4(fact["left_e4"]),
        }
        text = (
            "其他病种 x {factor};分值总量(分值 x 历史病例)保持 {total},差 {left}"
            if zh
            else "all other groups x {factor}; the total (weight x stays of the history) stays {total}, but for {left}"
        )
        say(text.format(**figures))
    show_comparison(done.summary, done.tables, lang)
    if target is not None:
        say(str(target))
