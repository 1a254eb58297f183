"""The arithmetic: what each cause made of the difference between two amounts. docs/rules.md, section 7."""

from __future__ import annotations

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.money import ratio_half_up

#: What an amount is made of, in the order in which the causes are replaced: stays, their weights, points before
#: deviation, points; then what the points are paid, what others paid of it, what the fund pays directly.
MEASURES = ("stays", "weight_e4", "base_e4", "points_e4", "priced_fen", "patients_fen", "direct_fen")
#: Causes of the amount of a stay, or of stays added up.
STAY_CAUSES = ("volume", "case_mix", "coefficient", "deviation", "price", "patients", "direct")
#: Causes that only a hospital's amount has.
ACCOUNT_CAUSES = ("assessment", "deduction", "sharing")
CAUSES = (*STAY_CAUSES, *ACCOUNT_CAUSES)


def at(name: str, when: str) -> str:
    """Return the column of a measure ``before`` or ``after``, its unit last: ``points_before_e4``."""
    stem, _, unit = name.rpartition("_")
    return f"{stem}_{when}_{unit}" if unit in ("fen", "e4") else f"{name}_{when}"


def cause(name: str) -> str:
    """Return the column of a cause."""
    return f"by_{name}_fen"


def _valued(measure: str, scales: tuple[int, int], otherwise: str) -> pl.Expr:
    """Return what the measure of after is worth at the amount per measure of before; the next step without one."""
    new = pl.col(at(measure, "after")).cast(pl.Int128) * scales[0]
    old = pl.col(at(measure, "before")).cast(pl.Int128) * scales[1]
    amount = pl.col(at("priced_fen", "before"))
    worth = ratio_half_up(new * amount, pl.when(old > 0).then(old).otherwise(1))
    return pl.when(old > 0).then(worth).otherwise(otherwise)


def split(rows: pl.DataFrame, scales: tuple[int, int] = (1, 1)) -> pl.DataFrame:
    """Add before_fen, after_fen, difference_fen and one column per cause of a stay (``by_..._fen``).

    ``rows``: each of :data:`MEASURES` before and after, integers, never null. ``scales``: of the weights before
    and after. Every step of the ladder is rounded half up to the fen, so that the causes of a row add up to its
    difference exactly, and those of rows added up to theirs.
    """
    before, after = pl.col(at("priced_fen", "before")), pl.col(at("priced_fen", "after"))
    out = rows.with_columns(after.alias("_5"))
    for step, measure in ((4, "points_e4"), (3, "base_e4"), (2, "weight_e4")):
        out = out.with_columns(_valued(measure, scales, f"_{step + 1}").alias(f"_{step}"))
    out = out.with_columns(_valued("stays", (1, 1), "_2").alias("_1"), before.alias("_0"))
    changes = [
        (pl.col(f"_{step + 1}") - pl.col(f"_{step}")).alias(cause(name))
        for step, name in enumerate(STAY_CAUSES[:5])
    ]
    changes.append(
        (pl.col(at("patients_fen", "before")) - pl.col(at("patients_fen", "after"))).alias(cause("patients"))
    )
    changes.append(
        (pl.col(at("direct_fen", "after")) - pl.col(at("direct_fen", "before"))).alias(cause("direct"))
    )
    amounts = [
        (
            pl.col(at("priced_fen", when)) - pl.col(at("patients_fen", when)) + pl.col(at("direct_fen", when))
        ).alias(f"{when}_fen")
        for when in ("before", "after")
    ]
    return with_difference(out.with_columns(*changes, *amounts).drop([f"_{n}" for n in range(6)]))


def with_difference(rows: pl.DataFrame) -> pl.DataFrame:
    """Add difference_fen. Raises :class:`ConservationError` if the causes of a row do not add up to it."""
    out = rows.with_columns((pl.col("after_fen") - pl.col("before_fen")).alias("difference_fen"))
    causes = [cause(name) for name in CAUSES if cause(name) in out.columns]
    wrong = out.filter(pl.sum_horizontal(causes) != pl.col("difference_fen"))
    if wrong.height:
        raise ConservationError(
            "the causes of a difference do not add up to it",
            field="difference_fen",
            value=wrong["difference_fen"][0],
        )
    return out
