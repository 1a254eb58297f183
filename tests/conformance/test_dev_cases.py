"""100,000 cases with the group that the reference program gives: through the API, the command line, the twin."""

from __future__ import annotations

from random import Random

import polars as pl

import fenzhi
from cli.calls import done
from fenzhi.grouping import group_drg
from fenzhi.pipeline.setting import group_stays
from twins.drg import NOT_CHECKED, NOTHING, group
from twins.drg_engine import RESULT, results
from twins.profile import DEEP

EXPECTED = [f"exp_{name}" for name in RESULT]
TWIN_CASES = 20_000


def differences(grouped: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Cases whose result is another one, except those refused with a reason (edge cases may be)."""
    both = cases.select("setl_id", "kind", *EXPECTED).join(
        grouped.select("setl_id", "outcome", "reason", pl.col(RESULT).cast(pl.String)), on="setl_id"
    )
    assert both.height == cases.height
    differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"exp_{name}")) for name in RESULT)
    refused = (pl.col("outcome") == "rejected") & pl.col("reason").is_not_null() & (pl.col("kind") == "edge")
    return both.filter(differs & ~refused)


def test_every_case_by_the_api(stays, rules):
    grouped = fenzhi.group(stays, rules).frame
    assert grouped["setl_id"].equals(stays["setl_id"])
    assert differences(grouped, stays).rows() == []
    equal = sum(
        ours == theirs for ours, theirs in zip(results(grouped), stays.select(EXPECTED).rows(), strict=True)
    )
    # Refused instead: what has no principal diagnosis at all. Everything else is equal, edge cases too.
    blank = stays.filter(pl.col("diag_codes").list.first().str.len_chars() == 0)
    refused = grouped.filter(pl.col("reason") == "no_principal_diagnosis")
    assert set(refused["setl_id"]) == set(blank["setl_id"])
    assert set(refused.select(pl.col(RESULT).cast(pl.String)).rows()) == {(NOT_CHECKED, *NOTHING)}
    unchecked = blank.filter(pl.col("exp_status") == NOT_CHECKED).height
    assert equal == stays.height - blank.height + unchecked
    # The field check of the reference program refuses the same stays.
    others = grouped.filter(pl.col("reason") != "no_principal_diagnosis")
    refused_ids = set(others.filter(pl.col("outcome") == "rejected")["setl_id"])
    failed = stays.filter(
        (pl.col("exp_status") == NOT_CHECKED) & ~pl.col("setl_id").is_in(blank["setl_id"].implode())
    )
    assert refused_ids == set(failed["setl_id"])


def test_every_case_by_the_command_line(tmp_path, cases, tables, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = [c for c in cases.columns if not c.startswith("exp_") and c not in ("id", "kind")]
    cases.select(columns).write_csv("cases.csv")
    done("catalog", "import", tables, "-o", "catalog", "--kind", "chs-drg")
    done("group", "cases.csv", "--catalog", "catalog", "-o", "groups.parquet")
    grouped = pl.read_parquet("groups.parquet")
    assert grouped["setl_id"].equals(cases["setl_id"])
    assert differences(grouped, cases).rows() == []


def test_codes_joined_by_a_bar_group_as_lists_do(cases, stays, rules):
    """A frame of text is read and checked first; what is accepted has the group that lists of codes give."""
    columns = [column for column in cases.columns if not column.startswith("exp_") and column != "kind"]
    text = cases.select(columns)
    lists = fenzhi.group(stays, rules).frame
    read = fenzhi.group(text, rules).frame.drop("row_idx")
    assert read.height > 0.98 * stays.height
    assert read.equals(read.select("setl_id").join(lists, on="setl_id", maintain_order="left"))


def test_order_threads_and_chunks(stays, rules):
    whole = fenzhi.group(stays, rules).frame
    chosen = stays.sample(fraction=1.0, shuffle=True, seed=7)
    shuffled = fenzhi.group(chosen, rules).frame
    assert (
        chosen.select("setl_id")
        .join(whole, on="setl_id", maintain_order="left")
        .equals(shuffled.select("setl_id", *(c for c in whole.columns if c != "setl_id")))
    )
    for rows in (9_973, 50_000):
        assert group_stays(stays, rules, rows).frame.equals(whole)
    for threads in (1, 2, 3):
        assert group_drg(stays, rules, threads=threads).frame.equals(whole)


def test_the_twin_gives_what_the_reference_program_gives(stays, twin):
    chosen = stays if DEEP else stays[sorted(Random(11).sample(range(stays.height), TWIN_CASES))]
    for case in chosen.iter_rows(named=True):
        answer = group({**case, "icu_hours": None}, twin)
        assert answer.result == tuple(case[name] for name in EXPECTED), (case, answer)
