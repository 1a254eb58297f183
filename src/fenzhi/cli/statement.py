"""``fenzhi statement``."""

from __future__ import annotations

from pathlib import Path

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, say


@click.command(
    "statement",
    epilog="例 / example:  fenzhi statement my-region/runs/20270105T080000Z --hospital H99010001 -o statement.xlsx",
)
@click.argument("run", type=FOLDER)
@click.option("--hospital", required=True, metavar="CODE", help="机构编码 / code of the hospital")
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    help="一个 .html 或 .xlsx 文件,或新文件夹 / an .html or .xlsx file, or a folder for all (default: the run's own)",
)
@click.option(
    "--page",
    "kind",
    type=click.Choice(["year", "months", "confirm"]),
    default="year",
    show_default=True,
    help=".html 的内容:年度清算单、分月结算单、确认单 / what an .html holds",
)
@lang_option
def command(run: Path, hospital: str, target: Path | None, kind: str, lang: str) -> None:
    """一家机构的清算单:年度、分月、确认单和工作簿(全部科室与病种);不给 -o 时补写到 RUN/statements。

    One hospital's statement from a finished run: the year, the months, the page to sign, and a workbook with all
    departments and groups. Without -o, what RUN/statements lacks is written there.
    """
    from fenzhi.reports.write import statements_of, write_statement

    written = write_statement(run, hospital, lang, target=target, kind=kind)
    for path in written if target is not None else statements_of(run, hospital):
        say(str(path))
