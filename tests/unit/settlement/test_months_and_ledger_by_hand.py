"""Working capital, advances, clearing and every entry of the ledger of the tiny region."""

from __future__ import annotations

import polars as pl
import pytest
from worked import policy

from fenzhi.errors import ConservationError
from fenzhi.settlement import balances
from fenzhi.settlement.ledger import require_balance
from fenzhi.settlement.settle import Settled

from . import tiny
from .tiny import by, inputs, settled, table

YEAR = inputs(
    last_booked=table(tiny.BOOKED, ("H1", "E", 1_200_000), ("H2", "E", 100)),
    assessment=table(tiny.ASSESSED, ("H1", 9_800)),
    deductions=table(tiny.DEDUCTION, ("H1", "E", 1, 10_000, "audit"), ("H2", "E", 2, 100_000, "audit")),
)


@pytest.fixture(scope="module")
def year() -> Settled:
    """The tiny region with working capital, an assessment and deductions; opening value 90."""
    return settled(year=YEAR)


def month(year: Settled, code: str, number: int) -> dict[str, int]:
    frame = year.months.filter((pl.col("fixmedins_code") == code) & (pl.col("month") == number))
    return frame.row(0, named=True)


# January at H1: 15 points x 90 - (1,500 - 900) = 750.00; x 0.9 = 675.00; minus 100.00 deducted = 575.00.
def test_an_advance_is_a_share_of_what_is_due_minus_the_months_deductions(year: Settled) -> None:
    row = month(year, "H1", 1)
    assert (row["cases"], row["points_e4"], row["cost_fen"], row["booked_fen"]) == (
        2,
        150_000,
        150_000,
        90_000,
    )
    assert (row["point_value_e4"], row["due_fen"], row["deduction_fen"]) == (900_000, 75_000, 10_000)
    assert row["advance_fen"] == 57_500
    # March: 1 x 90 - 0 = 90.00; x 0.9 = 81.00.
    assert (month(year, "H1", 3)["due_fen"], month(year, "H1", 3)["advance_fen"]) == (9_000, 8_100)


# February at H2: 4 x 90 - 200 = 160.00; x 0.9 = 144.00; 1,000.00 deducted: nothing, never a negative advance.
def test_an_advance_never_falls_below_zero(year: Settled) -> None:
    row = month(year, "H2", 2)
    assert (row["due_fen"], row["deduction_fen"], row["advance_fen"]) == (16_000, 100_000, 0)


def test_there_is_a_row_for_every_account_and_month(year: Settled) -> None:
    assert year.months.select("fixmedins_code", "month").rows() == [
        (code, number) for code in ("H1", "H2") for number in range(1, 13)
    ]
    quiet = month(year, "H1", 7)
    assert [quiet[name] for name in ("cases", "points_e4", "due_fen", "advance_fen")] == [0, 0, 0, 0]


def test_a_negative_due_gives_no_advance() -> None:
    # Opening value 1: S1 and S2 bring 15.00 - 600.00 = -585.00.
    got = settled(value_e4=10_000)
    assert (month(got, "H1", 1)["due_fen"], month(got, "H1", 1)["advance_fen"]) == (-58_500, 0)


def test_without_opening_value_nothing_is_advanced() -> None:
    got = settled(value_e4=None)
    assert month(got, "H1", 1)["due_fen"] == -60_000
    assert got.months["advance_fen"].sum() == 0
    assert got.months["point_value_e4"].null_count() == 24


@pytest.mark.parametrize(("ratio", "advance"), [("1", 9_000), ("0.95", 8_550), ("0", 0), ("0.33335", 3_000)])
def test_the_advance_ratio_is_the_policys(ratio: str, advance: int) -> None:
    # 9,000 x 0.33335 = 3,000.15.
    got = settled(rules=policy(settlement={"advance_ratio": ratio}))
    assert month(got, "H1", 3)["advance_fen"] == advance


# 12,000.00 / 12 = 1,000.00; 1.00 / 12 = 8.33 fen.
@pytest.mark.parametrize(
    ("months", "capital"), [("1", (100_000, 8)), ("2", (200_000, 17)), ("0", (0, 0)), ("1.5", (150_000, 13))]
)
def test_working_capital_is_months_of_last_years_booked_amount(months: str, capital: tuple[int, int]) -> None:
    # 100 fen x 1.5 / 12 = 12.5, which is rounded up.
    got = settled(year=YEAR, rules=policy(settlement={"working_capital_months": months}))
    assert by(got.hospitals, "working_capital_fen") == dict(zip(("H1", "H2"), capital, strict=True))


# H1: 840.81 - 656.00 - 1,000.00; H2: -760.00 - 0 - 0.08. Both owe the pool.
def test_clearing_may_be_negative(year: Settled) -> None:
    assert by(year.hospitals, "advance_fen") == {"H1": 65_600, "H2": 0}
    assert by(year.hospitals, "clearing_fen") == {"H1": -81_519, "H2": -76_008}


def test_a_hospital_without_stays_gives_its_working_capital_back() -> None:
    capital = inputs("H0", "H1", "H2", last_booked=table(tiny.BOOKED, ("H0", "E", 1_200)))
    got = settled(year=capital)
    assert got.hospitals.row(0, named=True)["clearing_fen"] == -100
    entries = got.ledger.filter(pl.col("fixmedins_code") == "H0").select(
        "period", "debit", "credit", "amount_fen"
    )
    assert entries.rows() == [
        ("2027-00", "paid:H0:E", "hospital:H0:E", 100),
        ("2027-13", "hospital:H0:E", "paid:H0:E", 100),
    ]


# What was really paid counts instead of what the rules would advance: month 0 is the working capital.
def test_given_advances_replace_the_computed_ones() -> None:
    paid = table(
        tiny.ADVANCE, ("H1", "E", 0, 5_000), ("H1", "E", 1, 700), ("H1", "E", 1, 300), ("H2", "E", 12, 40)
    )
    got = settled(year=inputs(last_booked=YEAR.last_booked, advances=paid))
    assert by(got.hospitals, "working_capital_fen") == {"H1": 5_000, "H2": 0}
    assert by(got.hospitals, "advance_fen") == {"H1": 1_000, "H2": 40}
    # 960.01 - 10.00 - 50.00 and 240.00 - 0.40.
    assert by(got.hospitals, "clearing_fen") == {"H1": 90_001, "H2": 23_960}
    assert month(got, "H1", 1)["advance_fen"] == 1_000
    assert month(got, "H1", 3)["advance_fen"] == 0
    # The month still says what would have been due.
    assert month(got, "H1", 3)["due_fen"] == 9_000


def test_an_empty_list_of_advances_means_that_nothing_was_paid() -> None:
    got = settled(year=inputs(last_booked=YEAR.last_booked, advances=table(tiny.ADVANCE)))
    assert got.hospitals["working_capital_fen"].sum() == got.hospitals["advance_fen"].sum() == 0
    assert by(got.hospitals, "clearing_fen") == {"H1": 96_001, "H2": 24_000}


# --- ledger ---

ENTRIES = [
    (1, "2027", "fund:E", "source:E", 150_000, None, "budget_income"),
    (2, "2027", "carve_out:E", "fund:E", 20_000, None, "budget_carve_out"),
    (3, "2027", "reserve:E", "fund:E", 9_999, None, "budget_reserve"),
    (4, "2027", "by_disease:E", "fund:E", 120_001, None, "by_disease_fund"),
    (5, "2027-00", "paid:H1:E", "hospital:H1:E", 100_000, "H1", "working_capital"),
    (6, "2027-00", "paid:H2:E", "hospital:H2:E", 8, "H2", "working_capital"),
    (7, "2027-01", "paid:H1:E", "hospital:H1:E", 57_500, "H1", "advance"),
    (8, "2027-03", "paid:H1:E", "hospital:H1:E", 8_100, "H1", "advance"),
    (9, "2027-13", "hospital:H1:E", "by_disease:E", 96_001, "H1", "gross_payable"),
    (10, "2027-13", "hospital:H2:E", "by_disease:E", 24_000, "H2", "gross_payable"),
    (11, "2027-13", "reserve:E", "hospital:H1:E", 1_920, "H1", "assessment"),
    (12, "2027-13", "reserve:E", "hospital:H1:E", 10_000, "H1", "audit_deduction"),
    (13, "2027-13", "reserve:E", "hospital:H2:E", 100_000, "H2", "audit_deduction"),
    # Both clearings are negative: the hospitals pay back.
    (14, "2027-13", "hospital:H1:E", "paid:H1:E", 81_519, "H1", "clearing"),
    (15, "2027-13", "hospital:H2:E", "paid:H2:E", 76_008, "H2", "clearing"),
]


def test_every_entry_of_the_ledger(year: Settled) -> None:
    columns = ["entry", "period", "debit", "credit", "amount_fen", "fixmedins_code", "kind"]
    assert year.ledger.select(columns).rows() == ENTRIES
    assert set(year.ledger["pool"]) == {"E"}
    # A line of the budget is cited by its source, or by its name.
    assert year.ledger["cite"].to_list()[:3] == ["inpatient", "a letter", "risk"]


# The reserve: 99.99 from the budget + 19.20 + 100.00 + 1,000.00.
# A hospital was paid what is payable to it: 840.81, -760.00.
def test_every_balance(year: Settled) -> None:
    assert {account: amount for _, account, amount in balances(year.ledger).iter_rows()} == {
        "source:E": -150_000,
        "fund:E": 0,
        "carve_out:E": 20_000,
        "reserve:E": 121_919,
        "by_disease:E": 0,
        "hospital:H1:E": 0,
        "hospital:H2:E": 0,
        "paid:H1:E": 84_081,
        "paid:H2:E": -76_000,
    }


def test_amounts_of_zero_make_no_entry(year: Settled) -> None:
    assert (year.ledger["amount_fen"] > 0).all()
    assert year.ledger.filter(pl.col("kind") == "residual").is_empty()


@pytest.mark.parametrize("entry", [4, 5, 7, 9, 11, 12, 14])
def test_a_tampered_amount_is_found(year: Settled, entry: int) -> None:
    tampered = year.ledger.with_columns(pl.col("amount_fen") + (pl.col("entry") == entry))
    with pytest.raises(ConservationError, match="does not end at zero") as caught:
        require_balance(tampered)
    account = str(caught.value.field)
    assert account in (ENTRIES[entry - 1][2], ENTRIES[entry - 1][3])
    assert abs(int(str(caught.value.value))) == 1


@pytest.mark.parametrize("entry", [1, 4, 6, 8, 10, 13, 15])
def test_a_missing_entry_is_found(year: Settled, entry: int) -> None:
    with pytest.raises(ConservationError, match="does not end at zero"):
        require_balance(year.ledger.filter(pl.col("entry") != entry))


def test_an_entry_booked_to_another_pool_is_found(year: Settled) -> None:
    # Both accounts of the entry end where they did; only the pools show it.
    moved = year.ledger.with_columns(
        pl.when(pl.col("entry") == 1).then(pl.lit("R")).otherwise("pool").alias("pool")
    )
    with pytest.raises(ConservationError):
        require_balance(moved)


def test_the_ledger_as_it_is_passes(year: Settled) -> None:
    require_balance(year.ledger)
    require_balance(year.ledger.clear())
