"""``fenzhi ledger`` and ``fenzhi statement`` on a finished run."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import fastexcel
import polars as pl
import pytest

from cli.calls import done, fenzhi


@pytest.fixture
def own(small_run: Path, tmp_path: Path) -> Path:
    """A copy of the small region's run, to be spoilt."""
    return Path(shutil.copytree(small_run, tmp_path / "run"))


def test_the_whole_ledger(small_run: Path) -> None:
    out = done("ledger", small_run, "--lang", "en")
    ledger = pl.read_parquet(small_run / "ledger.parquet")
    assert "budget income" in out
    # Debits and credits of both pools, and of the whole.
    total = f"{ledger['amount_fen'].sum() / 100:,.2f}"
    assert f"Total: {ledger.height} entries, debits {total} yuan = credits {total} yuan" in out
    assert out.splitlines()[-1].startswith("The ledger balances")
    assert "职工医保" in done("ledger", small_run)


def test_one_hospital_as_an_account_with_a_running_balance(small_run: Path) -> None:
    out = done("ledger", small_run, "--hospital", "A1", "--pool", "employee")
    ledger = pl.read_parquet(small_run / "ledger.parquet").filter(fixmedins_code="A1", pool="employee")
    assert "应付医疗机构 A1 第一医院 · 职工医保" in out
    assert "B2" not in out
    rows = [line.split() for line in out.splitlines() if line[:3].strip().isdigit()]
    assert (
        len(rows)
        == 2 * ledger.filter(pl.col("debit").str.contains("paid")).height
        + ledger.filter(~pl.col("debit").str.contains("paid")).height
    )
    # The account ends even: nothing is owed any more.
    assert any(row[-2:] == ["平", "0.00"] for row in rows)


def test_opening_and_closing_of_a_month(small_run: Path, tmp_path: Path) -> None:
    done("ledger", small_run, "--month", "13", "-o", tmp_path / "close.xlsx")
    sheet = fastexcel.read_excel(tmp_path / "close.xlsx").load_sheet("科目余额").to_polars()
    assert sheet.height > 5
    for row in sheet.iter_rows(named=True):
        cents = {name: round(row[name] * 100) for name in ("期初余额", "借方", "贷方", "期末余额")}
        assert cents["期初余额"] + cents["借方"] - cents["贷方"] == cents["期末余额"]
        if row["科目代码"].split(":")[0] in ("fund", "by_disease", "hospital"):
            assert cents["期末余额"] == 0
    opening = dict(sheet.select("科目代码", "期初余额").iter_rows())
    ledger = pl.read_parquet(small_run / "ledger.parquet").filter(pl.col("period") < "2027-13")
    for account, amount in opening.items():
        moved = (
            ledger.filter(debit=account)["amount_fen"].sum()
            - ledger.filter(credit=account)["amount_fen"].sum()
        )
        assert round(amount * 100) == moved


def test_csv_files(small_run: Path, tmp_path: Path) -> None:
    out = done("ledger", small_run, "--hospital", "B2", "-o", tmp_path / "b2.csv", "--lang", "en")
    names = ["b2.csv", "b2-balances.csv", "b2-account.csv"]
    assert [Path(line).name for line in out.splitlines()[:3]] == names
    entries = pl.read_csv(tmp_path / "b2.csv", schema_overrides={"Amount": pl.String})
    ledger = pl.read_parquet(small_run / "ledger.parquet").filter(fixmedins_code="B2")
    assert entries["entry"].to_list() == ledger["entry"].to_list()
    assert entries["Amount"].to_list() == [f"{fen // 100}.{fen % 100:02d}" for fen in ledger["amount_fen"]]
    said = fenzhi("ledger", small_run, "-o", tmp_path / "b2.csv")
    assert (said.code, "[OUTPUT_EXISTS]" in said.err) == (2, True)
    assert "[OUTPUT_FORMAT]" in fenzhi("ledger", small_run, "-o", tmp_path / "b2.txt").err


def test_unknown_hospital_pool_and_folder(small_run: Path, tmp_path: Path) -> None:
    assert "[REPORT_HOSPITAL_UNKNOWN]" in fenzhi("ledger", small_run, "--hospital", "X").err
    assert "give one of employee, resident" in fenzhi("ledger", small_run, "--pool", "X").err
    assert "[RUN_MISSING]" in fenzhi("ledger", tmp_path / "none").err


def test_a_tampered_ledger_names_the_account(own: Path) -> None:
    path = own / "ledger.parquet"
    ledger = pl.read_parquet(path)
    advance = ledger.filter(kind="advance", fixmedins_code="A1").row(0, named=True)
    more = pl.when(pl.col("entry") == advance["entry"]).then(1).otherwise(0)
    ledger.with_columns(pl.col("amount_fen") + more).write_parquet(path)
    said = fenzhi("ledger", own)
    account = f"hospital:A1:{advance['pool']}"
    assert said.code == 2
    assert said.err.splitlines()[:2] == [
        f"[RUN_LEDGER] the ledger does not balance: {account} ends at -0.01 yuan instead of 0.00",
        f"  where: {path}, field {account}, value '-1'",
    ]
    assert said.out == ""


def test_a_statement_from_a_finished_run(own: Path, tmp_path: Path) -> None:
    since = time.perf_counter()
    out = done("statement", own, "--hospital", "A1")
    assert time.perf_counter() - since < 20
    names = ["A1.html", "A1.months.html", "A1.confirm.html", "A1.xlsx"]
    assert [Path(line).name for line in out.splitlines()] == names
    assert all((own / "statements" / name).is_file() for name in names)
    # Again: nothing is missing, nothing is overwritten.
    assert done("statement", own, "--hospital", "A1") == out
    one = tmp_path / "confirm.html"
    assert (
        done("statement", own, "--hospital", "A1", "--page", "confirm", "-o", one, "--lang", "en")
        == f"{one}\n"
    )
    assert "SHA-256" in one.read_text(encoding="utf-8")
    said = fenzhi("statement", own, "--hospital", "Z9", "-o", tmp_path / "z.html")
    assert (said.code, "[REPORT_HOSPITAL_UNKNOWN]" in said.err) == (2, True)
    assert not (tmp_path / "z.html").exists()
