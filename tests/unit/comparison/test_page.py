"""The page: a text for every code that can occur, both languages, nothing that a table holds becomes markup."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.comparison import CHANGES, KINDS
from fenzhi.comparison.reduce import FIGURES
from fenzhi.errors import OutputError
from fenzhi.reports.reconcile import ReconcileWords, change_text, reconcile_page, record_text
from fenzhi.reports.reconcile_texts import TEXTS

SUMMARY = {
    "fenzhi": "0",
    "scheme": "drg",
    "catalog": {"id": "c", "title": "<目录>", "version": "1", "kind": "imported"},
    "synthetic": False,
    "run": None,
    "official_file": "3605.csv",
    "official": {
        **{"column": "drg_codg", "versions": ["2", "3"], "rows": 4, "settlements": 2},
        **{"void": 1, "superseded": 1, "without_key": 1},
    },
    "other_version": True,
    "counts": {**dict.fromkeys(KINDS, 0), "agree": 1, "other_level": 1},
    **{"compared": 2, "agree": 1, "differ": 1, "agreement_e4": 5_000, "patterns": 1},
    "unknown_codes": {"cases": 1, "codes": 1},
    "scores_compared": False,
}
PATTERN = {
    **{"pattern": 1, "kind": "other_level", "cases": 1, "theirs": "BR2<b>", "theirs_name": "<i>名</i>"},
    **{"ours": "BR21", "ours_name": None, "reason": None, "example_setl_id": "S1"},
    **{"minimal_diagnoses": "I63.900|J96.000", "minimal_operations": "", "minimal_figures": "gend=1 age=50"},
    **{"change": "without_diagnosis", "change_at": 2, "change_code": "J96.000"},
}


def tables() -> dict[str, pl.DataFrame]:
    counts = {"cases": [2], "agree": [1], "differ": [1], "agreement_e4": [5_000], "other_level": [1]}
    groups = {
        "group_id": ["BR21"],
        "name": ["组"],
        "theirs": [0],
        "ours": [1],
        "agree": [0],
        "agreement_e4": [None],
    }
    return {
        "by_chapter": pl.DataFrame({"chapter": ["B"], "name": ["神经"], **counts}),
        "by_layer": pl.DataFrame({"layer": ["medical"], **counts}),
        "patterns": pl.DataFrame([PATTERN]),
        "by_group": pl.DataFrame(groups),
    }


def test_every_code_has_a_text_in_both_languages():
    needed = [f"{part}.{kind}" for kind in KINDS for part in ("kind", "meaning")]
    needed += [f"change.{change}" for change in CHANGES] + [f"figure.{figure}" for figure in FIGURES]
    assert [key for key in needed if key not in TEXTS] == []
    assert all(zh and en and zh != en for key, (zh, en) in TEXTS.items())


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_says_versions_agreement_and_the_change(lang):
    page = reconcile_page(SUMMARY, tables(), lang)
    assert "50.00%" in page
    assert {"zh": "版本不同：官方结果为 2、3", "en": "The versions differ: the official results say 2, 3"}[
        lang
    ] in page
    assert {"zh": "去掉其他诊断 J96.000", "en": "without secondary diagnosis J96.000"}[lang] in page
    for markup in ("<目录>", "BR2<b>", "<i>名</i>"):
        assert markup not in page
    assert "&lt;i&gt;名&lt;/i&gt;" in page


def test_records_and_changes_in_words():
    words = ReconcileWords("zh")
    assert record_text(PATTERN, words) == "诊断 I63.900 | J96.000；性别 1；年龄 50"
    assert change_text(PATTERN | {"change": None}, words) == "任何单项改动都不会"
    figure = {"change": "without_figure", "change_at": None, "change_code": "nwb_bir_wt"}
    assert change_text(PATTERN | figure, words) == "不填出生体重"
    rejected = PATTERN | {"minimal_diagnoses": None, "change": None}
    assert (record_text(rejected, words), change_text(rejected, words)) == (None, None)


def test_an_unknown_language_is_an_error():
    with pytest.raises(OutputError):
        reconcile_page(SUMMARY, tables(), "de")
