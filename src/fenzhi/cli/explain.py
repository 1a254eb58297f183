"""``fenzhi explain``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from fenzhi.cli.shared import PATH, lang_option, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.grouping import Trace
    from fenzhi.grouping.explain_dip import GroupingTrace
    from fenzhi.grouping.explain_drg import DrgTrace

SHOWN = 25


def _codes(codes: tuple[str, ...], text: dict[str, Any]) -> str:
    return " | ".join(codes) or str(text["none"])


def _show_dip(trace: GroupingTrace, text: dict[str, Any]) -> None:
    say(f"{text['principal']}: {trace.principal or text['none']}")
    say(f"{text['operations']}: {_codes(trace.operations, text)}")
    say(f"{text['main']}: {trace.main_operation or text['none']}")
    if trace.dropped:
        say(f"{text['dropped']}: {' | '.join(trace.dropped)}")
    rows = []
    for candidate in trace.candidates[:SHOWN]:
        answer = "operations_fail" if candidate.answer == "operations" else candidate.answer
        rule = "; ".join(f"{name}={value}" for name, value in candidate.rule.items())
        verdict = text["wins"] if candidate.wins else text[answer]
        if candidate.unmatched:
            verdict = f"{verdict}({text['unmatched'].format(' | '.join(candidate.unmatched))})"
        rows.append((candidate.group_id, candidate.layer, candidate.name, str(verdict), rule))
    if rows:
        show_table(str(text["candidates"]), text["candidate"], rows)
    else:
        say(f"{text['candidates']}: {text['none']}")


def _show_drg(trace: DrgTrace, lang: str) -> None:
    from fenzhi.catalogs.drg.words import say_term, say_terms
    from fenzhi.reports.explain_texts import DRG_TEXTS, TEXTS

    text, words = TEXTS[lang], DRG_TEXTS[lang]
    say(f"{text['principal']}: {trace.principal or text['none']}")
    say(f"{words['secondary']}: {_codes(trace.diagnoses, text)}")
    say(f"{text['operations']}: {_codes(trace.operations, text)}")
    rows = []
    for one in trace.looked:
        name = one.name + (words["alternative"].format(one.alt) if one.alt > 1 else "")
        if one.failed is None:
            answer = words["held"].format(say_terms(one.terms, lang))
        else:
            answer = words["failed"].format(say_term(one.failed, lang))
        if one.alone is not None:
            answer += words["alone"].format(one.alone)
        rows.append((words["levels"][one.level], one.code, name, answer))
    if rows:
        show_table(str(words["looked"]), words["columns"], rows)
    if trace.closed:
        say(words["closed"].format(" ".join(trace.closed)))
    if trace.complications:
        found = [
            (
                one.code,
                one.level,
                words["counts"] if one.excluded_by is None else words["excluded"].format(one.excluded_by),
            )
            for one in trace.complications
        ]
        show_table(str(words["ccs"]), words["cc"], found)
    say(f"{words['result']}: {trace.final()}")


def show_trace(trace: Trace, lang: str) -> None:
    """Print how a stay was grouped."""
    from fenzhi.reports.explain_texts import TEXTS

    if hasattr(trace, "candidates"):
        _show_dip(cast("GroupingTrace", trace), TEXTS[lang])
    else:
        _show_drg(trace, lang)


@click.command(
    "explain",
    epilog="例 / example:  fenzhi explain my-region/runs/20270105T080000Z S2027000123"
    "  ·  fenzhi explain stays.csv S2027000123 --catalog my-drg",
)
@click.argument("run", metavar="RUN|FILE", type=PATH)
@click.argument("setl_id")
@click.option(
    "--catalog",
    help="只解释分组:病例文件与目录,不需要运行结果 / explain the grouping of a stay in a file, without a run",
)
@click.option(
    "--policy",
    default="national-dip-3.0",
    show_default=True,
    help="与 --catalog 同用(DIP)/ with --catalog, DIP only",
)
@click.option("--columns", type=PATH, help="列名映射文件 / mapping file for foreign column names")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / as JSON")
@lang_option
def command(
    run: Path, setl_id: str, catalog: str | None, policy: str, columns: Path | None, as_json: bool, lang: str
) -> None:
    """解释一个病例:候选病种(DIP)或逐级判定(DRG)、每个系数、每一步算式与依据。由运行时的同一套规则重放,并与结果核对。

    Explain one stay: candidate groups (DIP) or every chapter, ADRG and DRG looked at (DRG), every factor, formula
    and source, replayed by the same rules and checked against the run.
    """
    import polars as pl

    from fenzhi.pipeline import explain_grouping, explain_stay
    from fenzhi.reports.explain_texts import TEXTS

    if catalog is not None:
        trace = explain_grouping(run, setl_id, catalog, policy=policy, columns=columns)
        if as_json:
            click.echo(json.dumps(asdict(trace), ensure_ascii=False, indent=1, default=str))
        else:
            show_trace(trace, lang)
        return
    found = explain_stay(run, setl_id)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
        return
    text = TEXTS[lang]
    if found.grouping is not None:
        show_trace(found.grouping, lang)
    from fenzhi.pipeline.store import read_manifest
    from fenzhi.reports.styles import said, style_of

    style = style_of(pl.Series([found.case["scheme"]]), read_manifest(run)["policy"])
    steps = [
        (said((step.zh, step.en), style)[lang == "en"], step.formula, step.result, step.cite)
        for step in found.steps
    ]
    show_table(f"{setl_id}: {text['steps']}", text["step"], steps)
