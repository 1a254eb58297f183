"""The workbook of one hospital: its statement as numbers, with all departments and all groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from fenzhi.reports.facts import HOSPITAL
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.ledger import ACCOUNT_COLUMNS, account_lines
from fenzhi.reports.sheets import Sheet, about_sheet, add_sheet, run_lines, unit_of, workbook
from fenzhi.reports.statement import band_names, reason_words
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words
from fenzhi.results import TABLES

SUMS = ("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen")


def write_hospital_book(path: Path, tables: RunTables, hospital: Hospital, lang: str) -> None:
    """Write the workbook of a hospital; amounts are yuan, points have four decimals, texts are never formulas."""
    words = Words(lang, tables.style)
    title = words("statement_title", name=hospital.name, year=tables.manifest["region"]["year"])
    lines = [
        *run_lines(tables, words),
        (words("hospital"), f"{hospital.name} ({hospital.code})"),
        (words("confirm_hash"), tables.manifest_hash),
        (words("about"), words("hospital_about")),
        (words("clearing"), words("clearing_about")),
        ("", words("unit_both")),
    ]
    with workbook(path, title, str(tables.manifest["created"])) as (book, formats):
        about_sheet(book, formats, words("about"), title, lines)
        for sheet in _sheets(tables, hospital, words):
            add_sheet(book, formats, sheet, words, path)


def _sheets(tables: RunTables, hospital: Hospital, words: Words) -> list[Sheet]:
    facts, bands = hospital.facts, band_names(tables, words)
    titles = tables.pool_titles()
    pools = pl.col("pool").replace(titles)

    def known(table: str, frame: pl.DataFrame) -> Sheet:
        columns = [(c.name, words.title(table, c.name), unit_of(c)) for c in TABLES[table]]
        return Sheet(words.sheet(table), frame.with_columns(pools), columns)

    kind = pl.col("kind").map_elements(
        lambda k: words.title("hospitals", f"points_{k}_e4"), return_dtype=pl.String
    )
    monthly = facts.monthly.with_columns(
        pools, _named("deviation", bands), _named("review", _reviews(facts.monthly, words)), kind
    )
    reasons = {
        reason: reason_words(reason, tables.rule_messages, words)
        for reason in facts.outcomes["reason"].drop_nulls()
    }
    outcomes = facts.outcomes.with_columns(
        _named("outcome", {name: words.name("outcome", name) for name in facts.outcomes["outcome"]}),
        _named("reason", reasons),
    )
    sums = _sums(words)
    balance = ("balance_fen", words("balance"), "fen")
    return [
        known("hospitals", hospital.rows),
        known("months", hospital.months),
        Sheet(
            words.sheet("kinds"),
            monthly,
            [
                ("pool", words.title("months", "pool"), "text"),
                ("month", words.title("months", "month"), ""),
                ("kind", words("kind"), "text"),
                ("deviation", words("deviation"), "text"),
                ("review", words.title("cases", "review"), "text"),
                *sums,
            ],
        ),
        Sheet(
            words.sheet("departments"),
            facts.departments,
            [("dscg_caty", words.title("cases", "dscg_caty"), "text"), *sums, balance],
        ),
        Sheet(
            words.sheet("groups"),
            facts.groups,
            [
                ("group_id", words.title("groups", "group_id"), "text"),
                ("name", words.title("groups", "name"), "text"),
                *sums,
                balance,
            ],
        ),
        Sheet(
            words.sheet("deviation"),
            facts.deviation.with_columns(_named("deviation", bands)),
            [("deviation", words("deviation"), "text"), sums[0], *sums[2:4]],
        ),
        Sheet(
            words.sheet("outcomes"),
            outcomes,
            [
                ("outcome", words("outcome"), "text"),
                ("reason", words("reason"), "text"),
                ("rows", words("rows"), ""),
                ("paid", words("paid_rows"), ""),
            ],
        ),
        Sheet(
            words.sheet("account"),
            account_lines(
                tables.ledger.filter(pl.col(HOSPITAL) == hospital.code), pl.lit(True), tables, words
            ),
            [(name, words(title), unit) for name, title, unit in ACCOUNT_COLUMNS],
        ),
    ]


def _sums(words: Words) -> Sequence[tuple[str, str, str]]:
    return [
        ("cases", words.title("groups", "cases"), ""),
        ("cost_fen", words.title("groups", "cost_fen"), "fen"),
        ("points_e4", words("points"), "e4"),
        ("payable_fen", words.title("hospitals", "gross_fen"), "fen"),
        ("booked_fen", words.title("groups", "booked_fen"), "fen"),
    ]


def _named(column: str, names: Mapping[str, str | None]) -> pl.Expr:
    return (
        pl.col(column).replace_strict(
            list(names), list(names.values()), default=pl.col(column), return_dtype=pl.String
        )
        if names
        else pl.col(column)
    )


def _reviews(monthly: pl.DataFrame, words: Words) -> dict[str, str | None]:
    return {outcome: words.name("review", outcome) for outcome in monthly["review"].drop_nulls().unique()}
