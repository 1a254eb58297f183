"""Sums that differ from the usual are said in words on the page, and only then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fenzhi.money import format_fen
from fenzhi.reports import RunTables, write_reports
from fenzhi.reports.facts import Facts
from fenzhi.reports.hospital import hospitals_of
from fenzhi.reports.remarks import remarks
from fenzhi.reports.words import Words

from . import sample
from .parse import Page

FIRST, SECOND, THIRD = sample.HOSPITALS
Frames = dict[str, pl.DataFrame]


def _page(tmp_path: Path, frames: Frames, about: dict[str, Any], code: str, lang: str = "zh") -> str:
    run = sample.write(tmp_path / "run", frames, about)
    write_reports(run, lang=lang)
    return " ".join(Page((run / "statements" / f"{code}.html").read_text(encoding="utf-8")).text.split())


def _advanced(frames: Frames, code: str, pool: str, more: int) -> None:
    """Pay a hospital more in advance in January, in every table that says so."""
    mine = (pl.col("fixmedins_code") == code) & (pl.col("pool") == pool)
    frames["months"] = frames["months"].with_columns(
        pl.when(mine & (pl.col("month") == 1))
        .then(pl.col("advance_fen") + more)
        .otherwise("advance_fen")
        .alias("advance_fen")
    )
    frames["hospitals"] = frames["hospitals"].with_columns(
        pl.when(mine).then(pl.col(name) + sign * more).otherwise(name).alias(name)
        for name, sign in (("advance_fen", 1), ("clearing_fen", -1))
    )


def test_nothing_unusual_needs_no_words(tmp_path: Path) -> None:
    frames, about = sample.build()
    for name in ("clearing_fen", "advance_fen"):
        # Where the sample happens to return money, less was paid in advance.
        assert name in frames["hospitals"].columns
    for code, pool, clearing in frames["hospitals"].select("fixmedins_code", "pool", "clearing_fen").rows():
        if clearing < 0:
            _advanced(frames, code, pool, clearing)
    run = sample.write(tmp_path / "run", frames, about)
    write_reports(run)
    for code in sample.HOSPITALS:
        assert 'id="remarks"' not in (run / "statements" / f"{code}.html").read_text(encoding="utf-8")


def test_who_got_more_in_advance_is_told_how_much_goes_back_and_to_whom(tmp_path: Path) -> None:
    frames, about = sample.build()
    clearing = dict(
        frames["hospitals"].filter(fixmedins_code=SECOND).select("pool", "clearing_fen").iter_rows()
    )
    # 100.00 more than what would leave the employees' pool with nothing to clear; the residents' pool gets 30.00.
    _advanced(frames, SECOND, "employee", clearing["employee"] + 10_000)
    _advanced(frames, SECOND, "resident", clearing["resident"] - 3_000)
    row = frames["hospitals"].filter(fixmedins_code=SECOND, pool="employee").row(0, named=True)
    paid = format_fen(row["advance_fen"] + row["working_capital_fen"])
    text = _page(tmp_path, frames, about, SECOND)
    assert (
        f"基金池“职工医保”：预付与周转金共 {paid} 元，多于应付 {format_fen(row['payable_fen'])} 元，"
        "多付的 100.00 元由本机构退回示范统筹区医疗保障经办机构（基金池“职工医保”）。"
    ) in text
    # 100.00 back, 30.00 still due: 70.00 back.
    assert "各基金池相抵后，本机构共应退回示范统筹区医疗保障经办机构 70.00 元。" in text
    assert "基金池“居民医保”：预付" not in text


@pytest.mark.parametrize(
    ("due", "words"),
    [(25_000, "仍应拨付本机构 150.00 元"), (10_000, "互不收付（0.00 元）")],
)
def test_what_is_left_over_all_pools(tmp_path: Path, due: int, words: str) -> None:
    frames, about = sample.build()
    clearing = dict(
        frames["hospitals"].filter(fixmedins_code=SECOND).select("pool", "clearing_fen").iter_rows()
    )
    _advanced(frames, SECOND, "employee", clearing["employee"] + 10_000)
    _advanced(frames, SECOND, "resident", clearing["resident"] - due)
    assert words in _page(tmp_path, frames, about, SECOND)


def _not_booked(frames: Frames, where: pl.Expr) -> None:
    """Nothing is booked for some accounts, in every table that says so."""
    for name in ("cases", "months", "hospitals"):
        none = pl.when(where).then(0).otherwise("booked_fen").cast(pl.Int64).alias("booked_fen")
        frames[name] = frames[name].with_columns(none)
    frames["hospitals"] = frames["hospitals"].with_columns(
        (pl.col("payable_fen") - pl.col("booked_fen")).alias("balance_fen"),
    )
    sums = frames["hospitals"].group_by("pool").agg(pl.col("booked_fen").sum())
    frames["pools"] = (
        frames["pools"]
        .drop("booked_fen")
        .join(sums, on="pool", maintain_order="left")
        .select(frames["pools"].columns)
    )


def test_a_pool_that_booked_nothing(tmp_path: Path) -> None:
    frames, about = sample.build()
    _not_booked(frames, pl.col("pool") == "resident")
    text = _page(tmp_path, frames, about, FIRST)
    assert "基金池“居民医保”全年记账金额为 0，支付比例按 1 计算" in text
    assert "基金池“职工医保”全年记账" not in text


def test_a_hospital_that_booked_nothing_in_a_pool_of_others(tmp_path: Path) -> None:
    frames, about = sample.build()
    _not_booked(frames, (pl.col("pool") == "resident") & (pl.col("fixmedins_code") == SECOND))
    text = _page(tmp_path, frames, about, SECOND)
    assert "本机构在基金池“居民医保”有病例，但记账金额为 0" in text
    assert "全年记账金额为 0" not in text


def test_a_hospital_that_closed_in_june_and_one_that_opened_in_march(tmp_path: Path) -> None:
    ends, begins = {SECOND: 6}, {THIRD: 3}

    def keep(case: dict[str, Any]) -> bool:
        code = case["fixmedins_code"]
        return begins.get(code, 1) <= case["month"] <= ends.get(code, 12)

    frames, about = sample.build(size=400, keep=keep)
    run = sample.write(tmp_path / "run", frames, about)
    write_reports(run, lang="zh")

    def text(code: str, ending: str = ".html") -> str:
        return Page((run / "statements" / f"{code}{ending}").read_text(encoding="utf-8")).text

    assert "本机构最后的病例在 6 月出院，7 月起没有病例，也没有预付" in text(SECOND)
    assert "本机构自 3 月起有按分值付费的病例，2 月及以前没有病例" in text(THIRD)
    assert "月起没有病例" not in text(FIRST) + text(THIRD)
    assert "月及以前没有病例" not in text(FIRST) + text(SECOND)
    # July on the page of months says the same.
    assert text(SECOND, ".months.html").count("本月没有按分值付费的病例") == 6


def test_a_hospital_without_any_stay(tmp_path: Path) -> None:
    frames, about = sample.build(keep=lambda case: case["fixmedins_code"] != THIRD)
    text = _page(tmp_path, frames, about, THIRD)
    assert "本机构全年没有送审任何病例，因此没有分值和基金应付。" in text
    # Its working capital of 9,000.00 and 7,000.00 goes back.
    assert "预付与周转金共 9,000.00 元，多于应付 0.00 元，多付的 9,000.00 元由本机构退回" in text
    assert "本机构共应退回示范统筹区医疗保障经办机构 16,000.00 元" in text


def test_a_hospital_whose_rows_were_all_turned_away(tmp_path: Path) -> None:
    def keep(case: dict[str, Any]) -> bool:
        return case["fixmedins_code"] != THIRD or case["outcome"] in ("excluded", "other_track")

    frames, about = sample.build(keep=keep)
    rows = frames["cases"].filter(fixmedins_code=THIRD).height
    assert rows
    text = _page(tmp_path, frames, about, THIRD, "en")
    assert f"The hospital handed in {rows} rows, but no stay paid by points" in text


def test_sharing_deposit_and_a_reserve_that_runs_out(tables: RunTables, facts: Facts) -> None:
    """Payable 100.00, of the overrun 20.00 borne, 5.00 not: 120.00 owed; 90 + 30 + 8 + 4 are taken: 12.00 back."""
    [found] = hospitals_of(tables, facts, [SECOND])
    amounts = {"payable_fen": 10_000, "final_fen": 12_000, "shared_fen": 2_000, "short_fen": 500}
    amounts |= {"advance_fen": 9_000, "working_capital_fen": 3_000, "quarter_fen": 800, "deposit_fen": 400}
    rows = found.rows.head(1).with_columns(
        pl.lit(fen, pl.Int64).alias(name) for name, fen in (amounts | {"clearing_fen": -1_200}).items()
    )
    said = remarks(tables, replace(found, rows=rows), Words("zh"))
    assert (
        "基金池“职工医保”的储备已用完：按政策应由基金分担的超支中有 5.00 元无力支付，由本机构自行承担。"
        in said
    )
    back = "预付、周转金、季度清算与预留保证金共 132.00 元，多于应付 120.00 元，多出的 12.00 元由本机构退回"
    assert [one for one in said if back in one]
    english = " ".join(remarks(tables, replace(found, rows=rows), Words("en")))
    assert "5.00 yuan of the overrun that the fund should bear could not be paid" in english
