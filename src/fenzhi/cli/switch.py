"""``fenzhi switch``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, lang_option, progress_bar, say, show_table

SHOWN = 5
STAGES = {"compare": "逐例比较"}


def _signed(fen: int) -> str:
    from fenzhi.money import format_fen

    return ("+" if fen > 0 else "") + format_fen(fen)


def _summary(done: Any, lang: str) -> None:
    from fenzhi.money import format_fen
    from fenzhi.reports.compare_causes import shown_causes
    from fenzhi.reports.switch import measure_text, notices, words_of

    summary, tables = done.summary, done.tables
    words = words_of(summary, lang)
    for when in ("before", "after"):
        run = summary[when]
        region, catalog = f"{run['region']['name']} {run['region']['year']}", run["catalog"]
        say(f"{words(when)}: {region}  {catalog['title']} {catalog['version']} · {run['policy']['title']}")
    for text in notices(summary, words):
        say(f"· {text}")
    sides = (words("before"), words("after"))
    rows = [
        (words(f"measure.{name}"), *(measure_text(name, value) for value in values))
        for name, values in summary["measures"].items()
    ]
    show_table(words("measures"), (words("item"), *sides), rows)
    counts = summary["counts"]
    say(words("sentence_moved", moved=f"{counts['stays_moved']:,}", lost=f"{counts['stays_lost']:,}"))
    unit = words("scale_yuan")
    lines = [(words(f"balance.{item}"), _signed(fen)) for item, fen in summary["balance"].items()]
    show_table(words("balance"), (words("item"), f"{words('difference')} ({unit})"), lines)
    causes = [
        (words(f"cause.{name}"), _signed(summary["causes"][name]))
        for name in shown_causes(tables["accounts"], tuple(summary["causes"]))
    ]
    show_table(words("causes"), (words("item"), f"{words('difference')} ({unit})"), causes)
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
    show_table(words("hospitals"), (words("hospital"), *sides, words("difference")), shown)
    if done.folder is not None:
        say(f"{words('files')}: {done.folder / 'switch.html'}")


@click.command(
    "switch",
    epilog="例 / example:  fenzhi switch my-region --to my-region/catalog-3.0 -o switched",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--to",
    "catalog",
    required=True,
    metavar="CATALOG",
    help="新目录(文件夹或随附名称)/ the new catalogue: a folder, or the name of a shipped one",
)
@click.option(
    "--policy",
    metavar="PACK",
    help="与新目录配套的政策包,DIP 改为 DRG 时必需,缺省为本统筹区的 / "
    "the pack for it, needed from DIP to DRG; by default that of the region",
)
@click.option(
    "-o", "--output", "target", type=FOLDER, help="新文件夹 / new folder for tables, workbook, page"
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
@lang_option
def command(
    folder: Path, catalog: str, policy: str | None, target: Path | None, as_json: bool, lang: str
) -> None:
    """测算目录切换:同一年度的病例在现行目录与新目录下各计算一次,逐例比较病例流向、入组率、RIV,以及每家机构分值与基金的增减及原因,
    精确到分。统筹区文件夹不变。

    What moving to another catalogue does (2.0 to 3.0, DIP to DRG): the same stays under both, compared one by one:
    where they go, grouping rate, RIV, what each hospital gains or loses and why, to the fen. Without given weights the
    new catalogue is weighed on the region's history. The region's folder stays as it is.
    """
    from fenzhi.pipeline.switch import as_json as json_text
    from fenzhi.pipeline.switch import switch_catalog

    with progress_bar(lang) as show:

        def progress(stage: str, share: float) -> None:
            show(STAGES.get(stage, stage) if lang == "zh" else stage, share)

        done = switch_catalog(folder, catalog, target, policy=policy, lang=lang, progress=progress)
    if as_json:
        click.echo(json_text(done))
    else:
        _summary(done, lang)
