"""The rule language of DRG tables: chapter entry, ADRG conditions, DRG rules, all as ANDed terms of one form.

Unknown kinds are errors that name file and row, never ignored. docs/reference/drg-catalog.md explains each.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from fenzhi.errors import CatalogError

# What a stay's figures are called in comparisons -> the name used here. Both spellings occur in tables.
FACTS = {
    "age": "age",
    "age_day": "age_day",
    "ageday": "age_day",
    "weight": "weight",
    "los": "los",
    "inhospitaltime": "los",
    "leaving_type": "leaving_type",
    "leavingtype": "leaving_type",
    "gender": "gender",
    "icu_hours": "icu_hours",
    "icuhours": "icu_hours",
    "amount": "amount",
    "dept": "dept",
}
# How many units, as figures are recorded (minutes, fen), make one of a rule; the others are whole numbers.
UNITS = {"icu_hours": 60, "amount": 100}
OPS = ("<=", ">=", "==", "!=", "<", ">")

# kind -> (wants a list, wants arg)
CONDITION_KINDS: dict[str, tuple[bool, bool]] = {
    "MAIN_DX_IN": (True, False),
    "MAIN_DX_NOT_IN": (True, False),
    "ANY_DX_IN": (True, False),
    "SEC_DX_IN": (True, False),
    "HAS_PROC": (False, False),
    "MAIN_PROC_IN": (True, False),
    "ANY_PROC_IN": (True, False),
    "SEC_PROC_IN": (True, False),
    "MAIN_PROC_VALID": (False, False),
    "MAIN_PROC_NOT_VALID": (False, False),
    "ANY_PROC_VALID": (False, False),
    "NO_PROC_VALID": (False, False),
    "AGE_DAY_KNOWN": (False, False),
    "AGE_DAY_MAX": (False, True),
    "WEIGHT_NONZERO": (False, False),
    "WEIGHT_LT": (False, True),
    "WEIGHT_GE": (False, True),
    "PROC_TAGS": (True, True),
}
# Terms of DRG rules and chapter entries that look codes up: name -> kind.
_LOOKUPS = {
    "main_dx": "MAIN_DX_IN",
    "any_dx": "ANY_DX_IN",
    "sec_dx": "SEC_DX_IN",
    "main_proc": "MAIN_PROC_IN",
    "any_proc": "ANY_PROC_IN",
    "sec_proc": "SEC_PROC_IN",
}
_COMPARISON = re.compile(r"([a-z_]+)\s*(<=|>=|==|!=|<|>)\s*(.+)", re.IGNORECASE)
_MEMBERSHIP = re.compile(r"([a-z_]+)_(in|not_in)\s*:\s*(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Term:
    """One term. ``kind``: a kind of :data:`CONDITION_KINDS`, or ALWAYS, MCC, CC, MCC_OR_CC, SITES (``number`` or more
    sites), MAIN_PROC_VALID_OR, KNOWN (``fact`` is given), COMPARE (``fact`` ``op`` ``number`` or ``text``), ONE_OF
    (``fact`` among ``texts``).

    ``list_id``: the list it looks into; ``codes``: codes written into the rule itself. ``tags``: the boolean
    rule over tags as an OR of ANDs. ``source``: the term as the table has it.
    """

    kind: str
    source: str
    list_id: str | None = None
    codes: tuple[str, ...] = ()
    fact: str = ""
    op: str = ""
    number: Decimal | None = None
    texts: tuple[str, ...] = ()
    tags: tuple[tuple[str, ...], ...] = ()


def _unknown(what: str, text: str, place: dict[str, Any], known: str) -> CatalogError:
    return CatalogError(
        f"this {what} is unknown",
        code="CATALOG_UNKNOWN_KIND",
        value=text,
        remedy=f"use one of: {known}",
        **place,
    )


def _number(text: str, term: str, place: dict[str, Any]) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise CatalogError(
            "a number is needed here",
            code="CATALOG_VALUE",
            value=term,
            remedy="write a plain number",
            **place,
        )
    return number


def _compare(fact: str, op: str, value: str, term: str, place: dict[str, Any]) -> Term:
    if fact == "dept":
        if op not in ("==", "!="):
            raise _unknown("comparison of a department", term, place, "==, !=")
        texts = _named(_parts(value), term, place)
        if len(texts) > 1 and op == "!=":
            raise _unknown("comparison of a department", term, place, "dept!=ONE; dept!=OTHER")
        return Term("COMPARE" if len(texts) == 1 else "ONE_OF", term, fact=fact, op=op, texts=texts)
    return Term("COMPARE", term, fact=fact, op=op, number=_number(value, term, place))


def _bare(text: str) -> str:
    """Return a value without the blanks and quotation marks around it."""
    return text.strip().strip("'\"").strip()


def _parts(text: str) -> tuple[str, ...]:
    return tuple(_bare(part) for part in re.split(r"[|,]", text) if _bare(part))


def _named(items: tuple[str, ...], term: str, place: dict[str, Any]) -> tuple[str, ...]:
    """Return what a term looks for; nothing is an error."""
    if not items:
        raise CatalogError(
            "this term names nothing to look for",
            code="CATALOG_BLANK",
            value=term,
            remedy="list codes joined by |",
            **place,
        )
    return items


def _member(
    name: str, negated: bool, value: str, lists: Container[str], term: str, place: dict[str, Any]
) -> Term:
    items = _named(_parts(value), term, place)
    if name in _LOOKUPS:
        kind = _LOOKUPS[name]
        if negated:
            if kind != "MAIN_DX_IN":
                raise _unknown("term", term, place, "main_dx_not_in")
            kind = "MAIN_DX_NOT_IN"
        if len(items) == 1 and items[0] in lists:
            return Term(kind, term, list_id=items[0])
        return Term(kind, term, codes=items)
    fact = FACTS.get(name)
    if fact is None or negated:
        raise _unknown("term", term, place, ", ".join([*_LOOKUPS, *dict.fromkeys(FACTS.values())]))
    if fact != "dept":
        for item in items:
            _number(item, term, place)
    return Term("ONE_OF", term, fact=fact, texts=items)


def _term(text: str, lists: Container[str], place: dict[str, Any]) -> Term:
    """Parse a term that chapters and DRGs share: comparisons and look-ups."""
    found = _MEMBERSHIP.fullmatch(text)
    if found:
        return _member(
            found[1].lower().removesuffix("_not") if found[2] == "in" else found[1].lower(),
            found[2].lower() == "not_in" or found[1].lower().endswith("_not"),
            found[3],
            lists,
            text,
            place,
        )
    found = _COMPARISON.fullmatch(text)
    if found:
        name, op, value = found[1].lower(), found[2], found[3].strip()
        if name in _LOOKUPS and op == "==":
            return Term(_LOOKUPS[name], text, codes=_named(_parts(value), text, place))
        if name in FACTS:
            return _compare(FACTS[name], op, value, text, place)
    raise _unknown(
        "term",
        text,
        place,
        f"comparisons of {', '.join(dict.fromkeys(FACTS.values()))}; {', '.join(_LOOKUPS)} with == or _in:",
    )


def parse_entry(rule: str | None, mdc: str, lists: Container[str], place: dict[str, Any]) -> tuple[Term, ...]:
    """Parse the entry rule of a chapter, whose diagnoses are the list of ``chapter_list``; empty is no condition."""
    terms = []
    for text in (part.strip() for part in (rule or "").split(";")):
        low = text.lower()
        if low in ("", "always", "none"):
            continue
        if low in ("main_dx", "any_dx"):
            terms.append(Term(_LOOKUPS[low], text, list_id=chapter_list(mdc)))
        elif low in ("male", "female"):
            terms.append(
                Term("COMPARE", text, fact="gender", op="==", number=Decimal(1 if low == "male" else 2))
            )
        elif low == "age0":
            terms.append(Term("COMPARE", text, fact="age", op="==", number=Decimal(0)))
        elif low in ("main_proc_valid", "any_proc_valid", "main_proc_not_valid", "no_proc_valid", "has_proc"):
            terms.append(Term(low.upper(), text))
        elif low.startswith("main_proc_valid_or:"):
            codes = _named(_parts(text.partition(":")[2]), text, place)
            terms.append(Term("MAIN_PROC_VALID_OR", text, codes=codes))
        elif re.fullmatch(r"sites\s*>=\s*0*[1-9]\d*", low):
            terms.append(Term("SITES", text, number=_number(low.partition(">=")[2], text, place)))
        else:
            terms.append(_term(text, lists, place))
    return tuple(terms)


def parse_drg_rule(rule: str | None, lists: Container[str], place: dict[str, Any]) -> tuple[Term, ...]:
    """Parse the rule of a DRG; ``always`` alone gives no term. An empty rule is an error."""
    terms = []
    parts = [part.strip() for part in (rule or "").split(";")]
    if not any(parts):
        raise CatalogError(
            "this DRG has no rule",
            code="CATALOG_BLANK",
            remedy="write always if it takes every stay",
            **place,
        )
    for text in parts:
        low = text.lower()
        if low in ("", "always"):
            continue
        if low in ("mcc", "cc", "mcc_or_cc"):
            terms.append(Term(low.upper(), text))
        else:
            terms.append(_term(text, lists, place))
    return tuple(terms)


def parse_condition(row: dict[str, Any], place: dict[str, Any]) -> Term:
    """Parse a row of adrg_condition (kind, list_id, arg, arg2)."""
    kind, list_id, arg = (row.get(name) or "" for name in ("kind", "list_id", "arg"))
    if kind not in CONDITION_KINDS:
        raise _unknown("kind of condition", kind, {**place, "field": "kind"}, ", ".join(CONDITION_KINDS))
    wants_list, wants_arg = CONDITION_KINDS[kind]
    for name, value, wanted in (
        ("list_id", list_id, wants_list),
        ("arg", arg, wants_arg),
        ("arg2", row.get("arg2") or "", False),
    ):
        if bool(value) != wanted:
            raise CatalogError(
                f"{kind} needs {name}" if wanted else f"{kind} takes no {name}",
                code="CATALOG_VALUE",
                value=value or None,
                remedy="fill the cell" if wanted else "empty the cell, or use the kind that reads it",
                **{**place, "field": name},
            )
    source = " ".join(part for part in (kind, list_id, arg) if part)
    if kind == "AGE_DAY_KNOWN":
        return Term("KNOWN", source, fact="age_day")
    if kind == "AGE_DAY_MAX":
        return _compare("age_day", "<=", arg, source, place)
    if kind == "WEIGHT_NONZERO":
        return _compare("weight", "!=", "0", source, place)
    if kind in ("WEIGHT_LT", "WEIGHT_GE"):
        return _compare("weight", "<" if kind == "WEIGHT_LT" else ">=", arg, source, place)
    if kind == "PROC_TAGS":
        tags = tuple(tuple(tag.strip() for tag in part.split("&")) for part in arg.split("|"))
        if not all(re.fullmatch(r"\w+", tag) for part in tags for tag in part):
            raise CatalogError(
                "this rule over tags cannot be read",
                code="CATALOG_VALUE",
                value=arg,
                remedy="write tags joined by & (and) and | (or) without parentheses, for example 1&2|1&3",
                **{**place, "field": "arg"},
            )
        return Term(kind, source, list_id=list_id, tags=tags)
    return Term(kind, source, list_id=list_id or None)


def chapter_list(mdc: str) -> str:
    """Return the name under which the diagnoses of a chapter (``mdc_dx``) are looked up."""
    return f"{mdc}.dx"
