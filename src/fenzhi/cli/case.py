"""``fenzhi case``."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fenzhi.cli.shared import PATH, lang_option, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    import polars as pl

    from fenzhi.pipeline.case import CaseAnswer

# Option -> column of a stay.
COLUMNS = {
    "diag": "diag_codes",
    "oprn": "oprn_codes",
    "sex": "gend",
    "age": "age",
    "age_days": "nwb_age",
    "days": "act_ipt_days",
    "way": "dscg_way",
    "cost": "medfee_sumamt",
    "booked": "hifp_pay",
    "insurance": "insutype",
    "hospital": "fixmedins_code",
    "department": "dscg_caty",
    "icu": "scs_cutd_sum_dura",
    "vent": "vent_used_dura",
    "day": "dscg_time",
}


@click.command(
    "case",
    epilog="例 / example:  fenzhi case my-region --hospital H99010001 --diag 'K35.800|E11.900' --oprn 47.0100 --sex 1 "
    "--age 50 --days 6 --cost 10500",
)
@click.argument("source", metavar="[RUN|DIR]", type=PATH, required=False)
@click.option("--setl-id", help="统筹区记录中的一个病例 / a stay of the region's records")
@click.option(
    "--file", "path", type=PATH, help="TOML 或 JSON 文件,键为病例列名 / columns of a stay: TOML or JSON"
)
@click.option("--diag", help="诊断,主要诊断在前,以 | 分隔 / diagnoses, principal first, joined by |")
@click.option("--oprn", help="手术操作,主要手术在前 / operations, main first")
@click.option("--sex", help="性别 1 男 2 女 / 1 male, 2 female")
@click.option("--age", help="年龄(岁) / age in years")
@click.option("--age-days", help="日龄(不满一岁) / age in days, below one year")
@click.option("--days", help="住院天数 / length of stay in days")
@click.option("--way", help="离院方式 / way of discharge")
@click.option("--cost", help="目前费用(元) / cost so far in yuan")
@click.option("--booked", help="统筹基金记账(元) / booked to the pooled fund, in yuan")
@click.option("--insurance", help="险种,缺省取第一个基金池 / insurance kind, default: that of the first pool")
@click.option("--hospital", help="医疗机构编码 / code of the hospital")
@click.option("--department", help="出院科别 / department of discharge")
@click.option("--icu", help="重症监护时长(天/时/分) / intensive care, days/hours/minutes")
@click.option("--vent", help="呼吸机时长(天/时/分) / ventilation, days/hours/minutes")
@click.option("--day", help="出院日期,缺省为年末 / day of discharge, default: the last of the year")
@click.option(
    "--item", "items", multiple=True, help="特例单议申请的药品或技术 / what an application would name"
)
@click.option("--catalog", help="没有统筹区时:目录 / without a region: the catalogue")
@click.option(
    "--policy",
    help="与 --catalog 同用,缺省为国家规则 / with --catalog; default: the national rules of its scheme",
)
@click.option(
    "--weights",
    type=PATH,
    help="已公布的分值表(group_id, weight) / published weights, for a folder without history",
)
@click.option("--level", help="与 --catalog 同用:机构级别 / with --catalog: level of the hospital")
@click.option(
    "--coefficient", help="与 --catalog 同用:机构调节系数 / with --catalog: coefficient of the hospital"
)
@click.option("--value", help="点值(元) / point value in yuan")
@click.option("--ratio", help="支付比例 / payment ratio, for example 0.72")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / as JSON")
@lang_option
def command(source: Path | None, as_json: bool, lang: str, **options: Any) -> None:
    """一个病例:分组与落选原因、分值、预计支付、距偏差界限和特例单议的距离、填写核对。只解释和核对给定的编码,不寻找支付更高的编码。

    One case, settled or still in hospital: its group and why the others lost, its points, the payment to expect, how
    far it is from the limits of deviation and from special review, and what to look at again in the record. It
    explains and audits the codes that it is given, and never looks for codes that pay more.
    """
    answer = _answer(source, options)
    if as_json:
        click.echo(json.dumps(_plain(answer), ensure_ascii=False, indent=1, default=str))
    else:
        _show(answer, lang)


def _answer(source: Path | None, options: dict[str, Any]) -> CaseAnswer:
    from fenzhi.pipeline.case_basis import Place
    from fenzhi.pipeline.case_open import Given, case_by_catalog, case_in_region
    from fenzhi.pipeline.case_source import read_case_file

    catalog, setl_id = options["catalog"], options["setl_id"]
    if (source is None) == (catalog is None):
        raise click.UsageError("give a region's folder, a run, or --catalog: one of them")
    case = {} if options["path"] is None else read_case_file(options["path"])
    case |= {column: options[name] for name, column in COLUMNS.items() if options[name] is not None}
    if setl_id is not None and (case or catalog is not None):
        raise click.UsageError(
            "--setl-id takes a stay of the region's records as it is: give nothing else of it"
        )
    value = None if options["value"] is None else _number(options["value"], "--value")
    given = Given(
        value_e4=None if value is None else int(value * 10_000),
        ratio=None if options["ratio"] is None else _number(options["ratio"], "--ratio"),
        weights=options["weights"],
        items=options["items"],
        place=Place(options["level"], options["coefficient"]),
    )
    if options["coefficient"] is not None:
        _number(options["coefficient"], "--coefficient")
    if source is None:
        return case_by_catalog(catalog, options["policy"], case, given)
    return case_in_region(source, case, given, setl_id)


def _number(text: str, option: str) -> Fraction:
    """Return a number with at most four decimals, not below 0."""
    try:
        value = Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    if value < 0 or (value * 10_000).denominator != 1:
        raise click.BadParameter("a number of at least 0 with at most four decimals", param_hint=option)
    return value


def _plain(answer: CaseAnswer) -> dict[str, Any]:
    """Return an answer as plain data."""
    from dataclasses import asdict

    from fenzhi.reports.case_texts import TEXTS

    frames = ("facts", "limits", "reviews", "payment", "findings")
    tables = {name: getattr(answer, name).to_dicts() for name in frames}
    notes = [{"zh": zh, "en": en} for zh, en in answer.notes]
    said = {"zh": TEXTS["zh"]["purpose"], "en": TEXTS["en"]["purpose"]}
    return {"purpose": said, **tables, "grouping": asdict(answer.trace), "notes": notes}


def _show(answer: CaseAnswer, lang: str) -> None:
    from fenzhi.cli.explain import show_trace
    from fenzhi.reports.case_texts import TEXTS

    text = TEXTS[lang]
    say(str(text["purpose"]))
    show_trace(answer.trace, lang)
    _show_facts(answer, text, lang)
    _show_limits(answer, text, lang)
    _show_reviews(answer.reviews, text)
    _show_findings(answer.findings, lang)
    for note in answer.notes:
        say(f"{text['note']}: {note[lang == 'en']}")


def _figure(name: str, value: Any) -> str:
    from fenzhi.money import format_e4, format_fen

    if value is None:
        return "-"
    if name.endswith("_fen"):
        return format_fen(value)
    return format_e4(value) if name.endswith("_e4") else str(value)


def _band(name: str, title: str, lang: str) -> str:
    """Return a band in words: the policy's own title in Chinese, else the known name."""
    from fenzhi.reports.names import NAMES

    known = NAMES.get(f"band.{name}")
    return title if lang == "zh" or known is None else known[1]


def _show_facts(answer: CaseAnswer, text: dict[str, Any], lang: str) -> None:
    """Print points and payment, one line a figure."""
    facts = answer.facts.row(0, named=True)
    paid = answer.payment.row(0, named=True) if answer.payment.height else {}
    shown = {**facts, **{name: value for name, value in paid.items() if name not in ("setl_id", "cost_fen")}}
    rows = []
    for name, title in text["figures"].items():
        value = shown.get(name)
        if (value is None and name not in text["always"]) or (name == "fixed_points_e4" and not value):
            continue
        figure = _figure(name, value)
        if name == "deviation":
            titles = dict(answer.limits.select("band", "title").iter_rows())
            figure = _band(figure, titles.get(figure, figure), lang)
        if name == "point_value_e4":
            figure = f"{figure} ({text['sources'][shown['value_source']]})"
        rows.append((title, text["words"].get(name, {}).get(figure, figure)))
    show_table(str(text["payment"]), text["figure"], rows)


def _show_limits(answer: CaseAnswer, text: dict[str, Any], lang: str) -> None:
    """Print the bands of the deviation, and in words how far the next ones are."""
    limits = answer.limits
    if limits.is_empty():
        say(f"{text['limits']}: {text['no_limits']}")
        return
    rows = [
        (
            ("* " if row["inside"] else "") + _band(row["band"], row["title"], lang),
            _figure("_e4", row["above_e4"]),
            _figure("_fen", row["from_fen"]),
            _figure("_fen", row["upto_fen"]),
            _figure("_fen", row["to_here_fen"]),
            text["formulas"][row["points"]],
            _figure("_e4", row["points_e4"]),
        )
        for row in limits.iter_rows(named=True)
    ]
    show_table(str(text["limits"]), text["limit"], rows)
    for row in limits.iter_rows(named=True):
        away = row["to_here_fen"]
        if away:
            line, name = text["up"] if away > 0 else text["down"], _band(row["band"], row["title"], lang)
            say(line.format(_figure("_fen", abs(away)), name, text["formulas"][row["points"]]))


def _show_reviews(reviews: pl.DataFrame, text: dict[str, Any]) -> None:
    if reviews.is_empty():
        say(f"{text['reviews']}: {text['no_reviews']}")
        return
    rows = []
    for row in reviews.iter_rows(named=True):
        unit = {"fen": "_fen", "hours_e4": "_e4"}.get(row["unit"], "")
        state = text["holds"] if row["holds"] else text["fails"]
        figures = [_figure(unit, row[name]) for name in ("have", "needed", "missing")]
        rows.append(
            (row["title"], text["conditions"][row["condition"]].format(row["limit"]), *figures, state)
        )
    show_table(str(text["reviews"]), text["review"], rows)


def _show_findings(findings: pl.DataFrame, lang: str) -> None:
    from fenzhi.reports.case_texts import TEXTS

    text = TEXTS[lang]
    rows = [
        (text["kinds"][row["kind"]], row[lang], row["field"], row["value"] or "", row["source"] or "")
        for row in findings.iter_rows(named=True)
    ]
    if rows:
        show_table(str(text["findings"]), text["finding"], rows)
        say(str(text["hints"]))
    else:
        say(f"{text['findings']}: {text['nothing']}")
