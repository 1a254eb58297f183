"""Rules of a DRG catalogue in words, and back: what a sheet of Excel may say and what ``catalog show`` prints.

One table per kind of word. The first word of each row is the one that is printed; all of them are understood.
A piece that no row explains is left as it is: the parsers of :mod:`fenzhi.catalogs.drg.rules` then say that
they do not know it.
"""

from __future__ import annotations

import re

from fenzhi.catalogs.drg.rules import Term
from fenzhi.catalogs.titles import half_width

# Whose codes are looked up -> Chinese words, English words.
SUBJECTS: dict[str, tuple[tuple[str, ...], str]] = {
    "MAIN_DX": (("主要诊断", "主诊断"), "principal diagnosis"),
    "ANY_DX": (("任一诊断", "任意诊断", "所有诊断"), "any diagnosis"),
    "SEC_DX": (("其他诊断", "次要诊断"), "another diagnosis"),
    "MAIN_PROC": (("主要手术", "主要手术操作", "主要手术或操作", "主手术"), "main operation"),
    "ANY_PROC": (("任一手术", "任一手术操作", "任一手术或操作", "任意手术"), "any operation"),
    "SEC_PROC": (("其他手术", "其他手术操作", "其他手术或操作", "次要手术"), "a further operation"),
}
# Terms without a list.
FLAGS: dict[str, tuple[tuple[str, ...], str]] = {
    "HAS_PROC": (("有手术", "有手术操作"), "there is an operation"),
    "MAIN_PROC_VALID": (("主要手术有效",), "main operation is valid for grouping"),
    "MAIN_PROC_NOT_VALID": (("主要手术无效",), "no main operation that is valid for grouping"),
    "ANY_PROC_VALID": (("任一手术有效",), "an operation is valid for grouping"),
    "NO_PROC_VALID": (("无有效手术",), "no operation is valid for grouping"),
    "MCC": (("MCC", "伴严重并发症或合并症", "伴MCC"), "with MCC"),
    "CC": (("CC", "伴并发症或合并症", "伴CC"), "with CC"),
    "MCC_OR_CC": (("MCC或CC", "CC或MCC", "MCC/CC", "伴MCC或CC"), "with MCC or CC"),
}
ALWAYS = (("无条件", "全部", "其余"), "every stay")
FIGURES: dict[str, tuple[tuple[str, ...], str]] = {
    "age": (("年龄",), "age"),
    "age_day": (("天龄", "日龄"), "age in days"),
    "weight": (("出生体重",), "birth weight"),
    "los": (("住院天数", "实际住院天数"), "length of stay"),
    "leaving_type": (("离院方式", "出院方式"), "leaving type"),
    "gender": (("性别",), "sex"),
    "icu_hours": (("重症监护小时数", "ICU小时数"), "ICU hours"),
    "amount": (("总费用",), "amount"),
    "dept": (("科室", "出院科室"), "department"),
}
_TAGGED = ("手术组合", "operations by tag")
_SITES = (("创伤部位数", "创伤部位", "部位"), "injured body sites")
_KNOWN_AGE_DAY = ("天龄已知", "已知天龄", "日龄已知")
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!=", "＝": "=", "＜": "<", "＞": ">"}
_SEXES = {"男": "male", "男性": "male", "女": "female", "女性": "female"}

_FLAG_OF = {word.lower(): kind for kind, (words, _) in FLAGS.items() for word in words}
_SUBJECT_OF = {word: kind for kind, (words, _) in SUBJECTS.items() for word in words}
_FIGURE_OF = {word: fact for fact, (words, _) in FIGURES.items() for word in words}


def _one_of(words: dict[str, str]) -> str:
    # The longest first: 任一手术操作 before 任一手术.
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_IN = re.compile(rf"({_one_of(_SUBJECT_OF)})\s*(∈|∉|不属于|属于|不在|在|=)\s*[::]?\s*(.+)", re.DOTALL)
_TAGS = re.compile(rf"{_TAGGED[0]}\s*(?:∈|属于)?\s*([^\s::]+)\s*[::\s]\s*(.+)")
_FIGURE = re.compile(rf"({_one_of(_FIGURE_OF)})\s*(<=|>=|==|!=|=|<|>|∈|属于)\s*[::]?\s*(.+)", re.IGNORECASE)
_SITE = re.compile(rf"(?:{'|'.join(_SITES[0])})\s*>=\s*(\d+)")
_VALID_OR = re.compile(r"主要手术有效或\s*(?:∈|属于|=|:)?\s*(.+)")


def pieces(cell: str) -> list[str]:
    """Split a cell of rules into its terms, at ``;`` and line breaks, in plain signs."""
    text = half_width(cell)
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    return [part.strip() for part in re.split(r"[;\r\n]+", text) if part.strip()]


def read_condition(piece: str) -> tuple[str, str | None, str | None] | None:
    """Return kind, list and arg of an ADRG condition written ``KIND list arg`` or in words; None: no condition.

    Nothing is checked here: ``parse_condition`` knows the kinds and what they need.
    """
    if piece in ALWAYS[0] or piece.lower() == "always":
        return None
    if piece.lower() in _FLAG_OF:
        return _FLAG_OF[piece.lower()], None, None
    if piece in _KNOWN_AGE_DAY:
        return "AGE_DAY_KNOWN", None, None
    found = _TAGS.fullmatch(piece)
    if found:
        return "PROC_TAGS", found[1], re.sub(r"\s", "", found[2])
    found = _IN.fullmatch(piece)
    if found and found[2] != "=":
        return (
            f"{_SUBJECT_OF[found[1]]}_{'NOT_IN' if found[2] in ('∉', '不属于', '不在') else 'IN'}",
            found[3],
            None,
        )
    found = _FIGURE.fullmatch(piece)
    if found:
        known = {
            ("age_day", "<="): "AGE_DAY_MAX",
            ("weight", "<"): "WEIGHT_LT",
            ("weight", ">="): "WEIGHT_GE",
        }
        fact, sign, value = _FIGURE_OF[found[1]], found[2], found[3]
        if (fact, sign, value) == ("weight", "!=", "0"):
            return "WEIGHT_NONZERO", None, None
        if (fact, sign) in known:
            return known[fact, sign], None, value
    kind, *rest = piece.split(None, 2)
    if kind.upper() in ("AGE_DAY_MAX", "WEIGHT_LT", "WEIGHT_GE"):
        return kind, None, " ".join(rest) or None
    return kind, rest[0] if rest else None, rest[1] if len(rest) > 1 else None


def read_rule(piece: str, *, entry: bool) -> str:
    """Return a term of a DRG rule, or of the entry rule of a chapter, in the language of the tables."""
    if piece in ALWAYS[0]:
        return "always"
    if piece.lower() in _FLAG_OF:
        return _FLAG_OF[piece.lower()].lower()
    if entry and piece in _SUBJECT_OF:
        return _SUBJECT_OF[piece].lower()
    if entry and piece in _SEXES:
        return _SEXES[piece]
    found = _SITE.fullmatch(piece)
    if found and entry:
        return f"sites>={found[1]}"
    found = _VALID_OR.fullmatch(piece)
    if found and entry:
        return f"main_proc_valid_or:{found[1]}"
    found = _IN.fullmatch(piece)
    if found:
        negated = found[2] in ("∉", "不属于", "不在")
        name = _SUBJECT_OF[found[1]].lower()
        return (
            f"{name}=={found[3]}" if found[2] == "=" else f"{name}_{'not_in' if negated else 'in'}:{found[3]}"
        )
    found = _FIGURE.fullmatch(piece)
    if found:
        fact, sign, value = _FIGURE_OF[found[1]], found[2], found[3]
        if fact == "gender" and sign == "=" and value in _SEXES:
            value = "1" if _SEXES[value] == "male" else "2"
        if sign in ("∈", "属于"):
            return f"{fact}_in:{value}"
        return f"{fact}{'==' if sign == '=' else sign}{value}"
    return piece


def read_qy(cell: str) -> str:
    """Return the rule for ambiguous cases of a chapter in the language of the tables."""
    text = half_width(cell).strip()
    return {"关": "off", "关闭": "off", "无": "off", "否": "off"}.get(
        text, _FLAG_OF.get(text.lower(), text).lower()
    )


def say_term(term: Term, lang: str = "zh") -> str:
    """Return a term in words, ``lang`` zh or en. The Chinese ones can be read back from a workbook."""
    at = 0 if lang == "zh" else 1
    kind = term.kind
    if kind in FLAGS:
        return _pick(FLAGS[kind], at)
    if kind == "SITES":
        return f"{_pick(_SITES, at)}>={term.number}"
    if kind == "MAIN_PROC_VALID_OR":
        codes = "|".join(term.codes)
        return f"主要手术有效或∈{codes}" if at == 0 else f"{FLAGS['MAIN_PROC_VALID'][1]} or one of {codes}"
    if kind == "PROC_TAGS":
        return f"{_TAGGED[at]} {term.list_id}: {'|'.join('&'.join(part) for part in term.tags)}"
    if kind == "KNOWN":
        return f"{_pick(FIGURES[term.fact], at)}{'已知' if at == 0 else ' is known'}"
    subject, _, rest = kind.rpartition("_IN")
    if not rest and subject:
        negated = subject.endswith("_NOT")
        sign = ("∉" if negated else "∈") if at == 0 else (" not in " if negated else " in ")
        return (
            f"{_pick(SUBJECTS[subject.removesuffix('_NOT')], at)}{sign}{term.list_id or '|'.join(term.codes)}"
        )
    figure = _pick(FIGURES[term.fact], at)
    if kind == "ONE_OF":
        return f"{figure}{'∈' if at == 0 else ' one of '}{'|'.join(term.texts)}"
    value = term.texts[0] if term.texts else str(term.number)
    if term.fact == "gender" and term.op == "==" and value in ("1", "2"):
        value = {"1": ("男", "male"), "2": ("女", "female")}[value][at]
    return f"{figure}{'=' if term.op == '==' else term.op}{value}"


def say_terms(terms: tuple[Term, ...], lang: str = "zh") -> str:
    """Return ANDed terms in words, ``无条件`` / ``every stay`` where there are none."""
    return "; ".join(say_term(term, lang) for term in terms) or _pick(ALWAYS, 0 if lang == "zh" else 1)


def _pick(words: tuple[tuple[str, ...], str], at: int) -> str:
    return words[0][0] if at == 0 else words[1]
