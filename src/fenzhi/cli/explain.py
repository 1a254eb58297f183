"""``fenzhi explain``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from fenzhi.cli.shared import FOLDER, lang_option, say, show_table

TEXTS = {
    "zh": {
        "principal": "主要诊断",
        "operations": "手术操作",
        "main": "有效主要手术操作",
        "dropped": "不参与分组的手术操作",
        "none": "无",
        "candidates": "候选病种(按优先顺序)",
        "candidate": ("病种", "层次", "名称", "判定", "规则"),
        "steps": "从分组到金额",
        "step": ("步骤", "算式", "结果", "依据"),
        "accepted": "符合",
        "wins": "入组",
        "operations_fail": "手术操作不符",
        "other_diagnosis": "其他诊断不符",
        "any_diagnosis": "诊断不符",
        "age_days": "天龄不符",
        "birth_weight": "出生体重不符",
    },
    "en": {
        "principal": "principal diagnosis",
        "operations": "operations",
        "main": "effective main operation",
        "dropped": "operations left out",
        "none": "none",
        "candidates": "candidate groups, in order of precedence",
        "candidate": ("group", "layer", "name", "answer", "rule"),
        "steps": "from group to money",
        "step": ("step", "formula", "result", "source"),
        "accepted": "accepted",
        "wins": "wins",
        "operations_fail": "operations differ",
        "other_diagnosis": "no such other diagnosis",
        "any_diagnosis": "no such diagnosis",
        "age_days": "age in days differs",
        "birth_weight": "birth weight differs",
    },
}
SHOWN = 25


@click.command("explain", epilog="例 / example:  fenzhi explain my-region/runs/20270105T080000Z S2027000123")
@click.argument("run", metavar="RUN", type=FOLDER)
@click.argument("setl_id")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / as JSON")
@lang_option
def command(run: Path, setl_id: str, as_json: bool, lang: str) -> None:
    """解释一个病例:候选病种及其判定、每个系数、每一步算式与依据。由运行时的同一套规则重放,并与结果核对。

    Explain one stay: candidate groups and why they won or lost, every factor, formula and source, replayed
    by the same rules and
    checked against the run.
    """
    from fenzhi.pipeline import explain_stay

    found = explain_stay(run, setl_id)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
        return
    text = TEXTS[lang]
    trace = found.grouping
    if trace is not None:
        say(f"{text['principal']}: {trace.principal or text['none']}")
        say(f"{text['operations']}: {' | '.join(trace.operations) or text['none']}")
        say(f"{text['main']}: {trace.main_operation or text['none']}")
        if trace.dropped:
            say(f"{text['dropped']}: {' | '.join(trace.dropped)}")
        rows = []
        for candidate in trace.candidates[:SHOWN]:
            answer = "operations_fail" if candidate.answer == "operations" else candidate.answer
            rule = "; ".join(f"{name}={value}" for name, value in candidate.rule.items())
            verdict = text["wins"] if candidate.wins else text[answer]
            rows.append((candidate.group_id, candidate.layer, candidate.name, str(verdict), rule))
        if rows:
            show_table(str(text["candidates"]), text["candidate"], rows)
        else:
            say(f"{text['candidates']}: {text['none']}")
    steps = [
        (step.zh if lang == "zh" else step.en, step.formula, step.result, step.cite) for step in found.steps
    ]
    show_table(f"{setl_id}: {text['steps']}", text["step"], steps)
