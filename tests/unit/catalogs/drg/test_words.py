"""Words and terms: what is printed in Chinese is read back as the same term; what nobody knows stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.catalogs.drg.rules import (
    CONDITION_KINDS,
    FACTS,
    parse_condition,
    parse_drg_rule,
    parse_entry,
)
from fenzhi.catalogs.drg.words import (
    FIGURES,
    half_width,
    pieces,
    read_condition,
    read_qy,
    read_rule,
    say_term,
    say_terms,
)
from fenzhi.errors import CatalogError

PLACE = {"file": "x"}
LISTS = {"GB1.ops", "MDCG.dx"}


def test_every_figure_of_the_rules_has_a_word():
    assert set(FIGURES) == set(FACTS.values())


@pytest.mark.parametrize("kind", CONDITION_KINDS)
def test_every_kind_of_condition_is_said_and_read_back(kind):
    wants_list, wants_arg = CONDITION_KINDS[kind]
    arg = ("1&2|1&3" if kind == "PROC_TAGS" else "28") if wants_arg else None
    row = {"kind": kind, "list_id": "GB1.ops" if wants_list else None, "arg": arg, "arg2": None}
    term = parse_condition(row, PLACE)
    read = read_condition(say_term(term))
    assert read == (kind, row["list_id"], arg)
    # The form of the tables is read as well, and English words are others.
    assert read_condition(" ".join(filter(None, (kind, row["list_id"], arg)))) == read
    assert say_term(term, "en") != say_term(term)


@pytest.mark.parametrize(
    ("text", "kind", "list_id", "arg"),
    [
        ("主要诊断 属于 GB1.dx", "MAIN_DX_IN", "GB1.dx", None),
        ("主诊断不属于GB1.dx", "MAIN_DX_NOT_IN", "GB1.dx", None),
        ("主要手术操作∈GB1.ops", "MAIN_PROC_IN", "GB1.ops", None),
        ("任一手术或操作∈ GB1.ops", "ANY_PROC_IN", "GB1.ops", None),
        ("次要诊断在GB1.dx", "SEC_DX_IN", "GB1.dx", None),
        ("日龄<=28", "AGE_DAY_MAX", None, "28"),
        ("出生体重<1500", "WEIGHT_LT", None, "1500"),
        ("手术组合∈GB1.t:1&2 | 3", "PROC_TAGS", "GB1.t", "1&2|3"),
    ],
)
def test_words_of_conditions(text, kind, list_id, arg):
    assert read_condition(text) == (kind, list_id, arg)


def test_no_condition():
    assert [read_condition(word) for word in ("无条件", "always")] == [None, None]


@pytest.mark.parametrize("text", ["手术顺利", "年龄<17", "主要手术=47.0100", "MCC"])
def test_what_is_no_condition_of_an_adrg_is_refused(text):
    kind, list_id, arg = read_condition(text)
    with pytest.raises(CatalogError) as found:
        parse_condition({"kind": kind, "list_id": list_id, "arg": arg, "arg2": None}, PLACE)
    assert found.value.code == "CATALOG_UNKNOWN_KIND"


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("MCC", "mcc"),
        ("MCC或CC", "mcc_or_cc"),
        ("伴并发症或合并症", "cc"),
        ("无条件", "always"),
        ("年龄<17", "age<17"),
        ("住院天数>=7", "los>=7"),
        ("离院方式∈1|2", "leaving_type_in:1|2"),
        ("科室=ICU", "dept==ICU"),
        ("任一手术=96.7201", "any_proc==96.7201"),
        ("其他手术∈GB1.ops", "sec_proc_in:GB1.ops"),
        ("主要诊断∉K35.800", "main_dx_not_in:K35.800"),
        ("ICU小时数>96", "icu_hours>96"),
        ("性别=女", "gender==2"),
        ("age<17", "age<17"),
    ],
)
def test_words_of_drg_rules(text, term):
    assert read_rule(text, entry=False) == term
    assert parse_drg_rule(term, LISTS, PLACE) is not None


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("主要诊断", "main_dx"),
        ("任一诊断", "any_dx"),
        ("男性", "male"),
        ("女", "female"),
        ("年龄=0", "age==0"),
        ("主要手术有效", "main_proc_valid"),
        ("主要手术有效或∈96.7201|96.04", "main_proc_valid_or:96.7201|96.04"),
        ("创伤部位数>=2", "sites>=2"),
    ],
)
def test_words_of_entries(text, term):
    assert read_rule(text, entry=True) == term
    assert len(parse_entry(term, "MDCG", LISTS, PLACE)) == 1


def test_words_of_entries_are_no_rules_of_drgs():
    for text in ("主要诊断", "男", "创伤部位数>=2", "手术顺利"):
        assert read_rule(text, entry=False) == text


def test_ambiguous():
    assert [read_qy(word) for word in ("关闭", "主要手术有效", "任一手术有效", "off", "x")] == [
        "off",
        "main_proc_valid",
        "any_proc_valid",
        "off",
        "x",
    ]


def test_pieces():
    assert pieces("有手术;年龄＜17\n住院天数≥７ ;; ") == ["有手术", "年龄<17", "住院天数>=7"]
    assert half_width("Ａ１（x）,头颈部创伤") == "A1(x),头颈部创伤"


FIGURE = st.sampled_from([name for name in FIGURES if name != "dept"])
RULES = st.one_of(
    st.sampled_from(["mcc", "cc", "mcc_or_cc", "dept==ICU", "dept!=ICU", "dept_in:ICU|CCU"]),
    st.builds(
        "{}{}{}".format, FIGURE, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.integers(0, 9999)
    ),
    st.builds("{}_in:{}|{}".format, FIGURE, st.integers(0, 9), st.integers(10, 99)),
    st.builds(
        "{}_in:{}".format,
        st.sampled_from(["main_dx", "main_dx_not", "any_dx", "sec_dx", "main_proc", "any_proc", "sec_proc"]),
        st.sampled_from(["GB1.ops", "47.0100", "47.0100|47.0900"]),
    ),
)


@given(st.lists(RULES, max_size=3))
def test_the_words_of_any_rule_read_back_mean_the_same(rules):
    terms = parse_drg_rule(";".join(rules) or "always", LISTS, PLACE)
    words = say_terms(terms)
    again = parse_drg_rule(";".join(read_rule(part, entry=False) for part in pieces(words)), LISTS, PLACE)

    def meaning(term):
        return (term.kind, term.list_id, term.codes, term.fact, term.op, term.number, term.texts)

    assert [meaning(term) for term in again] == [meaning(term) for term in terms]
    assert say_terms(terms, "en").isascii()


@given(
    st.lists(st.sampled_from(["main_dx", "any_dx", "male", "female", "age0", "sites>=2", "no_proc_valid"]))
)
def test_the_words_of_any_entry_read_back_mean_the_same(rules):
    terms = parse_entry(";".join(rules), "MDCG", LISTS, PLACE)
    again = parse_entry(
        ";".join(read_rule(p, entry=True) for p in pieces(say_terms(terms))), "MDCG", LISTS, PLACE
    )
    assert [say_term(term) for term in again] == [say_term(term) for term in terms]
    assert [term.kind for term in again] == [term.kind for term in terms]
