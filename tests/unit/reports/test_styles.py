"""The words of a DRG region: its own terms everywhere, none of DIP left, the same fields to fill in."""

from __future__ import annotations

import re
import string

import polars as pl
import pytest

from fenzhi.reports.names import NAMES
from fenzhi.reports.styles import (
    DIP,
    DRG_GLOSSARY,
    DRG_TEXTS,
    DRG_TITLES,
    POINTS,
    RATE,
    STYLES,
    said,
    style_of,
)
from fenzhi.reports.texts import GLOSSARY, LANGUAGES, TEXTS
from fenzhi.reports.words import Words
from fenzhi.results import TABLES

DRG = (RATE, POINTS)
# What a page may still say, though it holds a term of DIP: another way of paying, and the measure of cost.
KEPT = re.compile("单病种付费|不按 DRG 付费")
FOREIGN = {RATE: "病种|分值|点数|点值", POINTS: "病种|分值|权重|费率"}


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_style_follows_from_scheme_and_scale() -> None:
    dip, drg = (pl.Series([scheme, None, scheme], dtype=pl.String) for scheme in ("dip", "drg"))
    assert style_of(dip, {"scale": 1}) == style_of(dip.clear(), {}) == DIP
    assert style_of(drg, {"scale": 1}) == style_of(drg, {}) == RATE
    assert style_of(drg, {"scale": 100}) == POINTS


@pytest.mark.parametrize(
    ("text", "rate", "points"),
    [
        (("病种分值(RW)", "weight"), ("病组权重(RW)", "weight"), ("基准点数", "weight")),
        (
            ("分值 × 点值 × 支付比例", "points × point value × payment ratio"),
            ("权重 × 费率 × 支付比例", "weight × rate × payment ratio"),
            ("点数 × 点值 × 支付比例", "points × point value × payment ratio"),
        ),
        (
            ("形成按病种付费基金", "by-disease fund"),
            ("形成 DRG 付费基金", "DRG fund"),
            ("形成 DRG 付费基金", "DRG fund"),
        ),
        (
            ("单病种付费", "single disease"),
            ("单病种付费", "single disease"),
            ("单病种付费", "single disease"),
        ),
        (("元/分", "yuan per point"), ("元/权重", "yuan per unit of weight"), ("元/点", "yuan per point")),
        (
            ("{points} 分值", "{points} points"),
            ("{points} 权重", "{points} weight"),
            ("{points} 点数", "{points} points"),
        ),
        (("不按病种付费", "pointless"), ("不按 DRG 付费", "pointless"), ("不按 DRG 付费", "pointless")),
    ],
)
def test_terms_by_hand(text: tuple[str, str], rate: tuple[str, str], points: tuple[str, str]) -> None:
    assert said(text, DIP) == text
    assert said(text, RATE) == rate
    assert said(text, POINTS) == points


@pytest.mark.parametrize("style", DRG)
def test_no_term_of_another_way_of_paying_is_left(style: str) -> None:
    words = Words("zh", style)
    texts = {key: words(key) for key in TEXTS}
    texts |= {key: words.name(*key.split(".", 1)) for key in NAMES if not key.startswith("rule.")}
    texts |= {f"{t}.{c.name}": words.title(t, c.name) for t, columns in TABLES.items() for c in columns}
    texts |= {term: term + meaning for term, meaning in words.glossary()}
    allowed = {"reason.no_group", "outcome.comprehensive"}
    found = {
        k: t for k, t in texts.items() if re.search(FOREIGN[style], KEPT.sub("", t)) and k not in allowed
    }
    assert found == {}


@pytest.mark.parametrize("style", STYLES)
def test_fields_survive(style: str) -> None:
    for key, pair in (TEXTS | dict(DRG_TEXTS)).items():
        for one, two in zip(pair, said(pair, style), strict=True):
            assert _fields(one) == _fields(two), key


def test_every_replaced_text_exists_and_both_languages_are_there() -> None:
    assert set(DRG_TEXTS) <= set(TEXTS | NAMES)
    assert set(DRG_TITLES) <= {c.name for columns in TABLES.values() for c in columns}
    terms = {term for (term, _), _ in GLOSSARY}
    assert {key.removeprefix("+") for key, _ in DRG_GLOSSARY} <= terms
    pairs = [*DRG_TEXTS.values(), *DRG_TITLES.values(), *(p for _, entry in DRG_GLOSSARY for p in entry)]
    for zh, en in pairs:
        assert re.search("[\u4e00-\u9fff]", zh)
        assert not re.search("[\u4e00-\u9fff]", en)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_term_is_explained_twice(style: str, lang: str) -> None:
    terms = [term for term, _ in Words(lang, style).glossary()]
    assert len(set(terms)) == len(terms)
    assert len(terms) >= len(GLOSSARY)


def test_dip_says_what_it_always_said() -> None:
    words = Words("zh")
    assert (words("groups"), words("pools"), words.title("pools", "points_e4")) == (
        "盈亏病种",
        "基金池与点值",
        "总分值",
    )
    assert words.glossary() == [(term[0], meaning[0]) for term, meaning in GLOSSARY]
