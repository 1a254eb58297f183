"""The proof of a ledger finds what was changed after the run, and names the account."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from fenzhi.errors import ConservationError
from fenzhi.settlement import balances
from fenzhi.settlement.audit import prove
from fenzhi.settlement.settle import Settled

from . import tiny
from .tiny import inputs, settled, table

YEAR = inputs(
    last_booked=table(tiny.BOOKED, ("H1", "E", 1_200_000), ("H2", "E", 100)),
    assessment=table(tiny.ASSESSED, ("H1", 9_800)),
    deductions=table(tiny.DEDUCTION, ("H1", "E", 1, 10_000, "audit"), ("H2", "E", 2, 100_000, "audit")),
)


@pytest.fixture(scope="module")
def year() -> Settled:
    return settled(year=YEAR)


def _noted(year: Settled) -> dict[str, int]:
    return dict(balances(year.ledger).select("account", "balance_fen").iter_rows())


def test_a_whole_ledger_is_proved_per_pool(year: Settled) -> None:
    proof = prove(year.ledger, year.hospitals, _noted(year))
    total = year.ledger["amount_fen"].sum()
    assert proof.rows() == [("E", year.ledger.height, total, total)]


def _changed(ledger: pl.DataFrame, first: str, **values: object) -> pl.DataFrame:
    """Change the first entry of a kind."""
    entry = ledger.filter(kind=first)["entry"][0]
    here = pl.col("entry") == entry
    return ledger.with_columns(
        pl.when(here).then(pl.lit(value)).otherwise(name).cast(ledger.schema[name]).alias(name)
        for name, value in values.items()
    )


def _more(ledger: pl.DataFrame, kind: str, fen: int = 1) -> pl.DataFrame:
    return _changed(ledger, kind, amount_fen=ledger.filter(kind=kind)["amount_fen"][0] + fen)


TAMPERED: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    # One fen more in advance: the hospital's account is left with it.
    "advance": (lambda it: _more(it, "advance"), "hospital:H1:E ends at -0.01 yuan instead of 0.00"),
    "gross": (lambda it: _more(it, "gross_payable"), "by_disease:E ends at -0.01 yuan instead of 0.00"),
    "budget": (lambda it: _more(it, "budget_income"), "fund:E ends at 0.01 yuan instead of 0.00"),
    # Paid to another hospital: both accounts still end at zero only if two entries are changed; here one is.
    "other hospital": (
        lambda it: _changed(it, "clearing", debit="paid:H2:E", credit="hospital:H2:E", fixmedins_code="H2"),
        "hospital:H1:E ends at",
    ),
    "taken out": (lambda it: it.filter(pl.col("entry") != 3), "not numbered from 1 without gap"),
    "nothing": (lambda it: _changed(it, "advance", amount_fen=0), "has no period or no amount above 0"),
    "negative": (lambda it: _changed(it, "advance", amount_fen=-5), "has no period or no amount above 0"),
    "no period": (lambda it: _changed(it, "advance", period=None), "has no period or no amount above 0"),
    "other pool": (lambda it: _changed(it, "advance", debit="paid:H1:R"), "moves money of another pool"),
    "to itself": (lambda it: _changed(it, "advance", debit="hospital:H1:E"), "from an account to itself"),
    # The advance called a clearing: every account is right, but not what was paid when.
    "kind": (lambda it: _changed(it, "advance", kind="clearing"), "hospital H1, pool E: advance add up to"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_changed_ledger_does_not_pass(year: Settled, name: str) -> None:
    change, words = TAMPERED[name]
    with pytest.raises(ConservationError) as error:
        prove(change(year.ledger), year.hospitals, _noted(year))
    assert words in error.value.message
    assert error.value.code == "RUN_LEDGER"
    assert error.value.remedy


def test_two_changes_that_cancel_out_are_found_by_the_other_tables(year: Settled) -> None:
    """A fen more lent and a fen less cleared leave every account at zero; the table of hospitals knows better."""
    # The hospital returns money at the clearing: a fen more.
    assert year.ledger.filter(kind="clearing")["debit"][0] == "hospital:H1:E"
    ledger = _more(_more(year.ledger, "working_capital"), "clearing")
    with pytest.raises(ConservationError) as error:
        prove(ledger, year.hospitals, _noted(year))
    assert error.value.field == "hospital:H1:E"
    assert "working_capital add up to" in error.value.message


def test_a_budget_that_was_changed_throughout_is_found_by_what_the_run_noted(year: Settled) -> None:
    """Income and reserve both higher: accounts and hospitals agree, the run's own balances do not."""
    more = {
        "entry": year.ledger.height + 1,
        "period": "2027",
        "pool": "E",
        "amount_fen": 500,
        "kind": "budget_income",
    }
    first = more | {"debit": "fund:E", "credit": "source:E"}
    second = more | {
        "entry": more["entry"] + 1,
        "debit": "reserve:E",
        "credit": "fund:E",
        "kind": "budget_reserve",
    }
    extra = pl.DataFrame([first, second]).cast({n: t for n, t in year.ledger.schema.items() if n in first})
    ledger = pl.concat([year.ledger, extra], how="diagonal")
    assert prove(ledger, year.hospitals)["entries"].sum() == ledger.height
    with pytest.raises(ConservationError, match="yuan; the run noted"):
        prove(ledger, year.hospitals, _noted(year))


def test_an_account_that_the_run_does_not_know(year: Settled) -> None:
    noted = _noted(year)
    noted.pop("reserve:E")
    with pytest.raises(ConservationError, match=r"reserve:E ends at .* the run knows no such account"):
        prove(year.ledger, year.hospitals, noted)


# 3.00 of overrun borne by the reserve, 3.00 withheld as deposit: the hospital's account stays even. 2.00 of the deposit
# are released, 1.00 goes to the reserve.
SHARED = (
    ("hospital:H2:E", "reserve:E", 300, "sharing", "shared_fen"),
    ("deposit:H2:E", "hospital:H2:E", 300, "deposit", "deposit_fen"),
    ("paid:H2:E", "deposit:H2:E", 200, "deposit_release", "released_fen"),
    ("reserve:E", "deposit:H2:E", 100, "deposit_forfeit", "forfeited_fen"),
)


@pytest.mark.parametrize("wrong", [None, *(column for *_, column in SHARED)])
def test_sharing_and_deposit_are_proved_against_the_hospitals(year: Settled, wrong: str | None) -> None:
    first = year.ledger.height + 1
    extra = [
        {
            "entry": first + at,
            "period": "2027-13",
            "pool": "E",
            "debit": debit,
            "credit": credit,
            "kind": kind,
        }
        | {"amount_fen": fen, "fixmedins_code": "H2"}
        for at, (debit, credit, fen, kind, _) in enumerate(SHARED)
    ]
    types = {name: dtype for name, dtype in year.ledger.schema.items() if name in extra[0]}
    ledger = pl.concat([year.ledger, pl.DataFrame(extra, schema=types)], how="diagonal")
    hospitals = year.hospitals.with_columns(
        pl.when(pl.col("fixmedins_code") == "H2").then(fen + (column == wrong)).otherwise(0).alias(column)
        for *_, fen, _, column in SHARED
    )
    if wrong is None:
        assert prove(ledger, hospitals)["entries"].sum() == ledger.height
        return
    with pytest.raises(
        ConservationError, match=f"hospitals.{wrong} says {3 if wrong[0] in 'sd' else '[12]'}.01"
    ):
        prove(ledger, hospitals)
