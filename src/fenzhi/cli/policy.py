"""``fenzhi policy``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fenzhi.cli.shared import lang_option, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    from fenzhi.policy.origins import SectionShown, Shown

CONFIDENCES = {
    "official": "官方文件",
    "published article": "公开发表",
    "read from a public program": "读自公开程序",
    "sample": "示例",
}


@click.group("policy")
def command() -> None:
    """政策包:查看、检查、比较、编辑用的模式。 Policy packs: list, show, check, diff, schema for editors."""


def _confidence(value: str, lang: str) -> str:
    return CONFIDENCES.get(value, value) if lang == "zh" else value


@command.command("list", epilog="例 / example:  fenzhi policy list --lang en")
@lang_option
def list_(lang: str) -> None:
    """列出随附的政策包:付费方式、有效期、各节的把握程度。

    List the packs that come with fenzhi: scheme, validity, and how sure their sections are.
    """
    from collections import Counter

    from fenzhi.policy import load_policy, policies_dir
    from fenzhi.policy.base import Section
    from fenzhi.policy.validity import validity

    rows = []
    for path in sorted(policies_dir().glob("*.toml")):
        policy = load_policy(path)
        sections = [value for _, value in policy if isinstance(value, Section)]
        sure = Counter(str(section.confidence) for section in sections if section.cite)
        counted = ", ".join(f"{_confidence(name, lang)} {sure[name]}" for name in CONFIDENCES if sure[name])
        title = policy.meta.title if lang == "zh" else policy.meta.title_en or policy.meta.title
        rows.append((policy.meta.id, title, policy.meta.scheme, validity(policy), counted))
    titles = (
        ("标识", "名称", "付费方式", "有效期", "各节的把握程度")
        if lang == "zh"
        else ("id", "title", "scheme", "holds", "confidence of its sections")
    )
    show_table("随附的政策包" if lang == "zh" else "packs that come with fenzhi", titles, rows)


@command.command(
    "show",
    epilog="例 / example:  fenzhi policy show national-dip-3.0      fenzhi policy show my.toml --section weights",
)
@click.argument("pack")
@click.option("--section", help="只看一节 / one section only")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON / print JSON")
@lang_option
def show(pack: str, section: str | None, as_json: bool, lang: str) -> None:
    """查看合并后的政策包:每个数值出自哪个文件哪一行,每一节的出处和把握程度。

    Show a merged pack: the file and line of every value, the source and confidence of every section.
    """
    from fenzhi.policy.origins import show_pack, shown_json

    shown = show_pack(pack, section)
    if as_json:
        click.echo(json.dumps(shown_json(shown, lang), ensure_ascii=False, indent=2))
        return
    meta = shown.policy.meta
    title = meta.title if lang == "zh" else meta.title_en or meta.title
    chain = " → ".join(path.name for path in reversed(shown.chain))
    say(f"{title} ({meta.id}): {chain}")
    for part in shown.sections:
        _show_section(part, shown, lang)
    if shown.off:
        off = "没有、因而不起作用的节" if lang == "zh" else "sections it does not have, which do nothing"
        say(f"{off}: {', '.join(shown.off)}")


def _show_section(part: SectionShown, shown: Shown, lang: str) -> None:
    from fenzhi.policy.fields import written
    from fenzhi.policy.titles import title_of

    rows = []
    for value in part.values:
        file = ("缺省" if lang == "zh" else "default") if value.file is None else value.file.name
        origin = file if value.line is None else f"{file}:{value.line}"
        rows.append((value.key, title_of(value.place, lang), written(value.value), origin))
    head = f"[{part.name}] {title_of((part.name,), lang)}"
    if part.name != "meta":
        nothing = "没有出处" if lang == "zh" else "no source"
        head += f" · {part.cite or nothing} · {_confidence(part.confidence, lang)}"
        if part.cite_file is not None and part.cite_file != shown.chain[-1]:
            head += f" ({part.cite_file.name})"
    titles = ("项目", "名称", "数值", "来自") if lang == "zh" else ("key", "title", "value", "from")
    show_table(head, titles, rows)


@command.command(
    "check",
    epilog="例 / example:  fenzhi policy check my.toml      fenzhi policy check 2025.toml 2026.toml --one-region",
)
@click.argument("packs", nargs=-1, required=True, metavar="PACK...")
@click.option(
    "--one-region",
    is_flag=True,
    help="这些政策包属于同一统筹区,检查有效期的空档与重叠 / the packs are one region's: look for days with none or two",
)
@lang_option
def check(packs: tuple[str, ...], one_region: bool, lang: str) -> int:
    """检查政策包:未知的键、越界的数值、分档的空档与重叠、互相矛盾、循环叠加、不起作用的键;一次列出全部。

    Check packs before anything runs: unknown keys, values out of range, gaps and overlaps of bands,
    contradictions, circles, keys that nothing reads. All findings at once; exit code 2 if one is an error.
    """
    from fenzhi.policy.check import check_pack, check_together

    findings, loaded = [], []
    for name in packs:
        found, policy = check_pack(name)
        findings += found
        loaded += [] if policy is None else [policy]
    if one_region:
        findings += check_together(loaded)
    # A base that several packs extend says the same of itself each time.
    for text in dict.fromkeys(finding.text() for finding in findings):
        say(text)
    errors = sum(finding.severity == "error" for finding in findings)
    if not findings:
        say("未发现问题" if lang == "zh" else "nothing found")
    elif lang == "zh":
        say(f"{len(packs)} 个政策包,可用 {len(loaded)} 个")
    else:
        say(f"{len(loaded)} of {len(packs)} packs can be used")
    return 2 if errors else 0


@command.command(
    "diff", epilog="例 / example:  fenzhi policy diff national-dip-1.0 national-dip-3.0 --lang en"
)
@click.argument("before")
@click.argument("after")
@lang_option
def diff(before: str, after: str, lang: str) -> None:
    """逐项比较两个合并后的政策包。 Compare two merged packs value by value."""
    from fenzhi.policy import load_policy
    from fenzhi.policy.diff import diff_packs
    from fenzhi.policy.fields import written
    from fenzhi.policy.titles import title_of

    changes = diff_packs(load_policy(before), load_policy(after))
    if not changes:
        say("没有差异" if lang == "zh" else "no differences")
        return
    rows = [
        (change.key, title_of(change.place, lang), written(change.before), written(change.after))
        for change in changes
    ]
    names = [Path(name).stem if name.endswith(".toml") else name for name in (before, after)]
    titles = ("项目", "名称") if lang == "zh" else ("key", "title")
    show_table(" → ".join(names), (*titles, *names), rows)


@command.command("schema", epilog="例 / example:  fenzhi policy schema > policy.schema.json")
def schema() -> None:
    """输出政策包的 JSON 模式,供编辑器补全和提示。 Print the JSON schema of a pack, for editors."""
    from fenzhi.policy.schema import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))
