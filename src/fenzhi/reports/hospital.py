"""One hospital's rows of the result tables, which its statement, months, confirmation and workbook are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import InputError
from fenzhi.reports.facts import HOSPITAL, Facts, gather
from fenzhi.reports.tables import RunTables


@dataclass(frozen=True)
class Hospital:
    """One hospital's rows: ``rows`` of hospitals and ``months`` in the order of the pools, its ``facts``."""

    code: str
    rows: pl.DataFrame
    months: pl.DataFrame
    facts: Facts

    @property
    def name(self) -> str:
        """Name of the hospital, or its code."""
        return str(self.rows["fixmedins_name"][0] or self.code)

    @property
    def owed(self) -> str:
        """Column of what the hospital is owed in the end: after sharing, where there is any."""
        return "final_fen" if "final_fen" in self.rows.columns else "payable_fen"

    def total(self, column: str) -> int:
        """Return the sum of a column over the pools."""
        return int(self.rows[column].sum())


def hospitals_of(tables: RunTables, facts: Facts, codes: Sequence[str] | None = None) -> list[Hospital]:
    """Split the tables by hospital, each of them once; ``codes`` limits the result to some hospitals.

    An unknown code is an :class:`InputError`.
    """
    order = pl.col("pool").replace_strict(tables.pool_ids(), range(tables.pools.height), default=None)
    rows = _split(tables.hospitals.sort(order, nulls_last=True, maintain_order=True))
    months = _split(tables.months.sort(order, "month", nulls_last=True, maintain_order=True))
    by_code = facts.by_hospital()
    none = facts.of("")
    for wanted in codes or ():
        if wanted not in rows:
            raise unknown(tables, wanted)
    no_months = tables.months.clear()
    return [
        Hospital(one, rows[one], months.get(one, no_months), by_code.get(one, none))
        for one in (rows if codes is None else codes)
    ]


def statement_of(tables: RunTables, code: str) -> Hospital:
    """Return one hospital with the facts of its own rows only; an unknown code is an :class:`InputError`."""
    if code not in tables.hospitals[HOSPITAL]:
        raise unknown(tables, code)
    [hospital] = hospitals_of(tables, gather(tables, code), [code])
    return hospital


def unknown(tables: RunTables, code: str) -> InputError:
    """Return the error for a hospital that the run does not have."""
    first = next(iter(tables.hospitals[HOSPITAL]), "none: it is empty")
    return InputError(
        "the run has no hospital with this code",
        code="REPORT_HOSPITAL_UNKNOWN",
        file=tables.run_dir / "hospitals.parquet",
        field=HOSPITAL,
        value=code,
        remedy=f"give a code of the table hospitals, for example {first}",
    )


def _split(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by(HOSPITAL, as_dict=True, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}
