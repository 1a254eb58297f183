"""``fenzhi departments``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.pipeline.departments import Departments
    from fenzhi.reports.department_texts import DepartmentWords

_SHOWN = 40
_FIGURES = ("cases", "income_fen", "cost_fen", "balance_fen")


@click.command(
    "departments",
    epilog="例 / example:  fenzhi departments my-region/runs/20270105T080000Z --hospital H99010001 -o departments",
)
@click.argument("run", type=FOLDER)
@click.option("--hospital", required=True, metavar="CODE", help="机构编码 / code of the hospital")
@click.option("--department", metavar="CODE", help="只看一个科室 / one department only")
@click.option(
    "--quotas", type=PATH, help="科室定额表(dscg_caty, quota,元) / quotas: dscg_caty, quota in yuan a stay"
)
@click.option(
    "--settings",
    type=PATH,
    help="设置(TOML):名单阈值、费用归类 / settings: limits of the lists, kinds of cost",
)
@click.option(
    "--doctors",
    type=PATH,
    metavar="KEYFILE",
    help="按主诊医师(代号);文件存放本机构密钥 / by attending doctor, as pseudonyms made with the key in this file",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    help="一个 .html 或 .xlsx 文件,或新文件夹 / a file, or a new folder",
)
@lang_option
def command(
    run: Path,
    hospital: str,
    department: str | None,
    quotas: Path | None,
    settings: Path | None,
    doctors: Path | None,
    target: Path | None,
    lang: str,
) -> None:
    """一家机构的科室盈亏:分值收入与费用、盈亏的构成(相加等于盈亏)、科室定额、需关注病例;可按病种和医师。

    Departments of one hospital in a finished run: point income against cost by department, group and doctor, what the
    balance is made of (the parts add up to it), quotas, and the stays to look at. Without -o a summary is printed.
    """
    from fenzhi.pipeline.departments import Wanted, departments_of, write_departments

    wanted = Wanted(settings=settings, quotas=quotas, doctors=doctors, department=department)
    found = departments_of(run, hospital, wanted)
    if target is None:
        _show(found, lang)
        return
    for path in write_departments(found, target, lang):
        say(str(path))


def _show(found: Departments, lang: str) -> None:
    """Print the departments with the parts of their balance, and how many stays to look at."""
    import polars as pl

    from fenzhi.attribution.department_columns import CAUSES, cause
    from fenzhi.reports.departments import notes, words_of

    words = words_of(found.summary, lang)
    lists = ("quota_fen", "above_quota_cases", "below_cases")
    for name, columns in (
        ("departments", (*_FIGURES, *lists)),
        ("causes", ("balance_fen", *(cause(name) for name in CAUSES))),
    ):
        frame = found.tables["departments"].select("dscg_caty", *columns)
        # A sum of quotas a stay says nothing.
        sums = [pl.lit(None, pl.Int64).alias(n) if n == "quota_fen" else pl.col(n).sum() for n in columns]
        total = frame.select(pl.lit(words("total")).alias("dscg_caty"), *sums)
        lines = pl.concat([frame.head(_SHOWN), total], how="vertical_relaxed")
        rows = [[_shown(n, value, words) for n, value in row.items()] for row in lines.iter_rows(named=True)]
        show_table(words(name), [words(f"head.{n}") for n in frame.columns], rows)
    for note in (words("departments_note"), words("causes_note"), *notes(found.summary, words)):
        say(note)


def _shown(name: str, value: Any, words: DepartmentWords) -> str:
    from fenzhi.money import format_fen

    if name == "dscg_caty":
        return str(value or words("not_known"))
    if value is None:
        return "-"
    return format_fen(value) if name.endswith("_fen") else f"{value:,}"
