"""``fenzhi forecast``."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from fenzhi.cli.shared import FOLDER, lang_option, progress_bar, say, show_table

SHOWN = 10


class _Multiple(click.ParamType[Decimal]):
    """A decimal number, exact."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the number; ``0.92`` is exactly that."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def _measures(rows: Any, w: Any) -> None:
    from fenzhi.reports.forecast import figure

    heads = (w("measure"), w("done"), w("expected"), w("low"), w("high"))
    cells = [
        (
            w(f"m.{row['measure']}"),
            *(
                figure(row["measure"], row[end]).text.replace("\N{EM DASH}", "-")
                for end in ("done", "expected", "low", "high")
            ),
        )
        for row in rows.iter_rows(named=True)
    ]
    show_table(w("accounts"), heads, cells)


def _hospitals(accounts: Any, w: Any) -> None:
    import polars as pl

    from fenzhi.reports.forecast import figure

    whole = accounts.filter(pl.col("pool").is_null())
    size = whole.filter(pl.col("measure") == "cases").sort(
        "expected", "fixmedins_code", descending=[True, False]
    )
    heads = (w("hospital"), w("m.cases"), w("m.final_fen"), w("m.result_fen"), w("low"), w("high"))
    cells = []
    for code in size["fixmedins_code"].head(SHOWN):
        mine = {
            row["measure"]: row
            for row in whole.filter(pl.col("fixmedins_code") == code).iter_rows(named=True)
        }
        result = mine["result_fen"]
        cells.append(
            (
                mine["cases"]["fixmedins_name"] or code,
                figure("cases", mine["cases"]["expected"]).text,
                figure("final_fen", mine["final_fen"]["expected"]).text,
                *(figure("result_fen", result[end]).text for end in ("expected", "low", "high")),
            )
        )
    show_table(w("hospitals"), heads, cells)


def _summary(made: Any, lang: str) -> None:
    import polars as pl

    from fenzhi.reports.forecast import figure, level_text, month_name, words_of

    w, summary, tables = words_of(made.summary, lang), made.summary, made.tables
    region = summary["region"]
    say(f"{w('title', year=region['year'], name=region['name'])}  {w('as_of')} {summary['as_of']}")
    said = w("made_how", draws=summary["draws"], seed=summary["seed"])
    say(f"{w('interval', level=level_text(summary))} · {w('made')}: {said}")
    if summary["value_range"] is not None:
        low, high = summary["value_range"]
        say(f"· {w('value_given', low=low, high=high)}")
    if "coverage" in tables:
        say(f"· {w('coverage_note', as_of=summary['as_of'], level=level_text(summary))}")
        rows = [
            (w(f"m.{row['measure']}"), f"{row['inside']:,}", f"{row['hospitals']:,}", f"{row['share']:.1%}")
            for row in tables["coverage"].iter_rows(named=True)
        ]
        show_table(w("coverage"), (w("measure"), w("covered"), w("of_hospitals"), w("share")), rows)
    values = [
        (
            row["title"],
            w(f"m.{row['measure']}"),
            *(figure(row["measure"], row[e]).text for e in ("expected", "low", "high")),
        )
        for row in tables["values"].iter_rows(named=True)
        if row["measure"] in ("settlement_value_e4", "points_e4")
    ]
    show_table(w("values"), (w("pool"), w("measure"), w("expected"), w("low"), w("high")), values)
    if summary["hospital"] is None:
        _hospitals(tables["accounts"], w)
    else:
        _measures(tables["accounts"].filter(pl.col("pool").is_null()), w)
    who = (
        pl.col("fixmedins_code").is_null()
        if summary["hospital"] is None
        else pl.col("fixmedins_code") == summary["hospital"]
    )
    months = [
        (
            month_name(row["month"], w),
            *(
                figure(name, row[name]).text.replace("\N{EM DASH}", "-")
                for name in ("cases", "points_e4", "cash_fen", "cash_low_fen", "cash_high_fen")
            ),
        )
        for row in tables["months"].filter(who).iter_rows(named=True)
    ]
    show_table(
        w("months"), (w("month"), w("m.cases"), w("m.points_e4"), w("cash"), w("low"), w("high")), months
    )
    drivers = [
        (
            f"{w('of_value')} · {row['pool']}" if row["fixmedins_code"] is None else w("of_amount"),
            w(f"d.{row['driver']}"),
            f"{row['share']:.1%}",
        )
        for row in tables["drivers"].iter_rows(named=True)
        if row["fixmedins_code"] is None or row["fixmedins_code"] == summary["hospital"]
    ]
    show_table(w("drivers"), (w("measure"), "", w("share")), drivers)


@click.command(
    "forecast",
    epilog="例 / example:  fenzhi forecast my-region --as-of 2027-06-30 -o forecast",
)
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="病例完整的最后一日(缺省:最后出院日) / last day of complete records (default: the last discharge)",
)
@click.option("--hospital", metavar="H", help="只预测一家机构 / one hospital only")
@click.option("--draws", type=int, default=500, show_default=True, help="模拟次数 / draws")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="随机种子 / seed")
@click.option(
    "--level", type=float, default=0.8, show_default=True, help="区间水平 / what the interval holds"
)
@click.option(
    "--value-range",
    type=_Multiple(),
    nargs=2,
    metavar="LOW HIGH",
    help="单机构文件夹:结算点值对年初点值的倍数 / one hospital's folder: value as multiples of the opening one",
)
@click.option(
    "--back-test", is_flag=True, help="与已结束年度的实际结果比较 / compare with a finished year's truth"
)
@click.option(
    "-o", "--output", "target", type=FOLDER, help="新文件夹:表与网页 / new folder for tables and page"
)
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
@lang_option
def command(
    folder: Path,
    as_of: datetime | None,
    hospital: str | None,
    target: Path | None,
    *,
    back_test: bool,
    as_json: bool,
    lang: str,
    **chosen: Any,
) -> None:
    """由已发生的月份预测全年:病例、分值、CMI、点值及区间、基金应付、结余或超支(分担前后)、各月到账。

    Forecast the year from the months done: stays, points, case mix, the point value with an interval, payable, surplus
    or overrun with and without sharing, cash by month. Intervals come from a seeded simulation on the history's months.
    """
    from fenzhi.files import require_new_dir
    from fenzhi.simulation import forecast_write
    from fenzhi.simulation.forecast import Options

    options = Options(**chosen)
    day: date | None = None if as_of is None else as_of.date()
    if back_test and (day is None or hospital is not None):
        raise click.UsageError("--back-test needs --as-of DATE and looks at all hospitals")
    if target is not None:
        require_new_dir(target)
    with progress_bar(lang) as show:
        if back_test and day is not None:
            made = forecast_write.back_test_region(folder, day, options=options, progress=show)
        else:
            made = forecast_write.forecast_region(
                folder, day, hospital=hospital, options=options, progress=show
            )
        if target is not None:
            forecast_write.write_forecast(made, target, lang)
    if as_json:
        click.echo(forecast_write.as_json(made))
        return
    _summary(made, lang)
    if target is not None:
        from fenzhi.reports.forecast import words_of

        say(f"{words_of(made.summary, lang)('files')}: {target / 'forecast.html'}")
