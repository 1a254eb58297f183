"""Faults put into the demo stays, one kind a row, counted: what quality control has to find.

Every kind changes rows that are otherwise clean, so the counts can be compared with what was found. Faults
that a typed file cannot hold (unreadable numbers and dates) are put into text files only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from fenzhi.arrays import MISSING
from fenzhi.region.demo.payments import MONEY

KIND, ADDED, MONTH, PLACE = "_kind", "_added", "_month", "_place"
UNKNOWN_HOSPITAL = "H99099999999"
UNKNOWN_DIAGNOSIS = "X99.999x999"
UNKNOWN_OPERATION = "98.9999x999"


@dataclass(frozen=True)
class Fault:
    """A kind of fault: ``rows`` per 10,000 stays, where it fits, the columns it changes, error or warning."""

    kind: str
    rows: float
    error: bool
    changes: dict[str, pl.Expr] = field(default_factory=dict)
    fits: pl.Expr | None = None


def _principal(pattern: str) -> pl.Expr:
    return pl.col("diag_codes").list.first().str.contains(pattern)


def _fen(amount: str) -> pl.Expr:
    return pl.lit(amount).cast(pl.Decimal(16, 2))


_ZERO = {name: _fen("0.00") for name in MONEY}
_NEGATIVE = {name: -pl.col(name) for name in MONEY}
# A refund of some drugs: as little as this never makes another rule fire on the net stay.
_SOME = (pl.min_horizontal("drug_fee", "psn_selfpay") / 10).cast(pl.Decimal(16, 2))
_PARTLY = _ZERO | dict.fromkeys(
    ("medfee_sumamt", "drug_fee", "inscp_amt", "psn_pay_sumamt", "psn_selfpay"), -_SOME
)
_FEMALE, _MALE = "^(O|N8[0-9]|N9[0-8]|C5[1-8])", "^(N4[0-9]|N5[01]|C6[0-3])"
_NEWBORN = pl.col("nwb_age") <= 28

FAULTS: tuple[Fault, ...] = (
    Fault("missing_key", 5, True, {"setl_id": pl.lit(None, pl.String)}),
    Fault("no_principal_diagnosis", 10, True, {"diag_codes": pl.lit([], pl.List(pl.String))}),
    Fault(
        "discharge_before_admission",
        8,
        True,
        {"adm_time": pl.col("dscg_time").dt.offset_by("3d"), "act_ipt_days": pl.lit(None, pl.Int32)},
    ),
    Fault("zero_cost", 10, True, _ZERO),
    Fault("refund_without_original", 4, True, _NEGATIVE),
    Fault("unknown_hospital", 6, True, {"fixmedins_code": pl.lit(UNKNOWN_HOSPITAL)}),
    Fault("sex_invalid", 6, True, {"gend": pl.lit(9, pl.Int8)}),
    Fault(
        "age_out_of_range",
        6,
        True,
        {"age": pl.when(pl.col("age") % 2 == 0).then(pl.lit(-1)).otherwise(pl.lit(150)).cast(pl.Int16)},
        pl.col("age") > 0,
    ),
    Fault("los_negative", 5, True, {"act_ipt_days": pl.lit(-3, pl.Int32)}),
    Fault("sex_missing", 5, False, {"gend": pl.lit(None, pl.Int8)}),
    Fault("age_missing", 5, False, {"age": pl.lit(None, pl.Int16)}, pl.col("age") > 0),
    Fault(
        "unknown_diagnosis",
        20,
        False,
        {"diag_codes": pl.col("diag_codes").list.concat(pl.lit([UNKNOWN_DIAGNOSIS]))},
    ),
    Fault(
        "unknown_operation",
        12,
        False,
        {
            "oprn_codes": pl.col("oprn_codes").list.concat(pl.lit([UNKNOWN_OPERATION])),
            "oprn_fees": pl.col("oprn_fees").list.concat(pl.lit([0], pl.List(pl.Decimal(16, 2)))),
        },
        pl.col("oprn_codes").list.len() > 0,
    ),
    Fault(
        "age_against_diagnosis",
        6,
        False,
        {
            "age": pl.lit(34, pl.Int16),
            "nwb_age": pl.lit(None, pl.Int32),
            "nwb_bir_wt": pl.lit(None, pl.Int32),
            "nwb_adm_wt": pl.lit(None, pl.Int32),
        },
        _principal("^P"),
    ),
    Fault(
        "sex_against_diagnosis",
        8,
        False,
        {"gend": (3 - pl.col("gend")).cast(pl.Int8)},
        _principal(_FEMALE) | _principal(_MALE),
    ),
    Fault(
        "newborn_without_weight",
        8,
        False,
        {"nwb_bir_wt": pl.lit(None, pl.Int32), "nwb_adm_wt": pl.lit(None, pl.Int32)},
        _NEWBORN & _principal("^P"),
    ),
    Fault("payers_do_not_add_up", 20, False, {"psn_pay_sumamt": pl.col("psn_pay_sumamt") + _fen("123.45")}),
    Fault("items_do_not_add_up", 20, False, {"drug_fee": pl.col("drug_fee") + _fen("88.80")}),
    Fault(
        "other_equals_principal",
        20,
        False,
        {"diag_codes": pl.col("diag_codes").list.concat(pl.col("diag_codes").list.slice(0, 1))},
    ),
    Fault(
        "los_against_dates",
        20,
        False,
        {"act_ipt_days": pl.col("act_ipt_days") + 9},
        pl.col("act_ipt_days").is_not_null(),
    ),
)
# Rows that are added: a second copy, or a negative row for a stay.
DUPLICATE = Fault("duplicate_key", 12, True)
REFUNDED = Fault("refunded", 8, True, _NEGATIVE)
PARTLY = Fault(
    "refund_netted", 8, False, _PARTLY, pl.min_horizontal("drug_fee", "psn_selfpay") >= _fen("20.00")
)
# Text that no number or date can be read from; per 10,000 stays of the text file.
UNREADABLE: dict[str, tuple[str, str, float]] = {
    "unreadable_number": ("medfee_sumamt", "12O0.50", 40),
    "unreadable_date": ("dscg_time", "2027-13-45", 40),
}


ADDED_KINDS = (DUPLICATE, REFUNDED, PARTLY)


def _choose(frame: pl.DataFrame, faults: Sequence[Fault], rate: float, rng: np.random.Generator) -> pl.Series:
    """Return the kind of fault of each row, null for most; every kind occurs if a row fits it at all."""
    chosen = np.full(frame.height, MISSING, dtype=np.int32)
    for at, fault in enumerate(faults):
        free = chosen == MISSING
        if fault.fits is not None:
            free &= frame.select(fault.fits.fill_null(False)).to_series().to_numpy()
        places = np.flatnonzero(free)
        rows = min(len(places), max(1, round(fault.rows * rate * frame.height / 10_000)))
        chosen[rng.choice(places, rows, replace=False)] = at
    place = pl.DataFrame({"c": chosen}).select(pl.when(pl.col("c") != MISSING).then("c")).to_series()
    return pl.Series([fault.kind for fault in faults]).gather(place)


def _changed(frame: pl.DataFrame, faults: Sequence[Fault]) -> list[pl.DataFrame]:
    """Return the rows of each kind with the changes of that kind."""
    return [
        frame.filter(pl.col(KIND) == fault.kind).with_columns(
            value.alias(name) for name, value in fault.changes.items()
        )
        for fault in faults
    ]


def soil(
    frame: pl.DataFrame, rng: np.random.Generator, *, rate: float = 1.0, text_month: int | None = None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Put faults into a year of clean stays.

    ``rate`` scales the number of faults (each kind occurs at least once if any stay fits it); ``text_month``
    is the month that will be written as text: its rows get the unreadable kinds, as marks only
    (see :data:`UNREADABLE`). Returns the frame in the order of the stays with three columns added, and the
    rows of each kind. ``_kind``: fault, null for clean rows; ``_added``: a row that was added, a duplicate
    or a refund (its original keeps the kind, but is not changed); ``_month``: the file it belongs to.
    """
    month = pl.col("dscg_time").dt.month().cast(pl.Int8).alias(MONTH)
    frame = frame.with_columns(month, pl.lit(False).alias(ADDED)).with_row_index(PLACE)
    marks: list[Fault] = []
    if text_month is not None:
        here = pl.col(MONTH) == text_month
        share = frame.select(here.mean()).item()
        marks = [Fault(kind, rows * share, True, fits=here) for kind, (_, _, rows) in UNREADABLE.items()]
    faults = [*marks, *FAULTS, *ADDED_KINDS]
    frame = frame.with_columns(_choose(frame, faults, rate, rng).alias(KIND))
    dirty = frame.filter(pl.col(KIND).is_not_null())
    added = pl.concat(_changed(dirty, ADDED_KINDS)).with_columns(pl.lit(True).alias(ADDED))
    # Half of the refunds arrive with the next month's file.
    late = (pl.col(KIND) != DUPLICATE.kind) & pl.Series("late", rng.random(added.height) < 0.5)
    added = added.with_columns((pl.col(MONTH) + late.cast(pl.Int8)).clip(upper_bound=12).alias(MONTH))
    originals = dirty.filter(pl.col(KIND).is_in([fault.kind for fault in ADDED_KINDS]))
    parts = [frame.filter(pl.col(KIND).is_null()), *_changed(dirty, [*marks, *FAULTS]), originals, added]
    whole = pl.concat(parts).sort(PLACE, maintain_order=True)
    original = pl.col(KIND).is_in([fault.kind for fault in ADDED_KINDS]) & ~pl.col(ADDED)
    found = whole.filter(pl.col(KIND).is_not_null() & ~original)[KIND].value_counts()
    counts = dict(sorted(found.iter_rows()))
    return whole.drop(PLACE), counts


def paid(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a soiled frame that quality control and netting leave.

    Refund rows are left out too: a partial refund never touches the fund.
    """
    errors = [fault.kind for fault in (*FAULTS, REFUNDED) if fault.error] + list(UNREADABLE)
    return frame.filter(~pl.col(KIND).is_in(errors).fill_null(False) & ~pl.col(ADDED))
