"""The stays of a year while a scenario changes them: which rows left, which stays are new or say something else."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import ratio_half_up
from fenzhi.pipeline.prepared import AT
from fenzhi.points import PAID
from fenzhi.policy.fields import nearest
from fenzhi.simulation.base import Base
from fenzhi.simulation.choose import STRATUM, chosen
from fenzhi.simulation.engine import Change
from fenzhi.simulation.scenario import Names, Pick
from fenzhi.simulation.write import record_columns

DOCTOR = "chfpdr_code"
_CHANGED = "_changed"
_PICKED = ("setl_id", *STRATUM, "outcome", "dscg_caty", DOCTOR)
_NOBODY = "give others, or look at the table cases of a run"


def refused(message: str, field: str, value: object = None, remedy: str = _NOBODY) -> RegionError:
    """Return the error of a scenario that makes no sense in this year."""
    return RegionError(message, code="SCENARIO_SENSE", field=field, value=value, remedy=remedy)


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


class Draft:
    """Stays that change, step by step. ``work``: those that are new or say something else, with the columns of
    ``Base.stays`` as the year had them; ``gone``: rows of the year that left or stand in ``work`` now.
    """

    def __init__(self, base: Base, hospital: str | None) -> None:
        self.base = base
        self.hospital = hospital
        self.gone = pl.Series(AT, [], dtype=pl.UInt32)
        self.work = base.stays.clear().with_columns(pl.lit(False).alias(_CHANGED))
        self._round = 0

    def pick(self, who: Pick, field: str) -> pl.DataFrame:
        """Return the stays that points pay for which everything holds: AT (null in ``work``), keys.

        Raises :class:`RegionError` if there is no such hospital, group or department, or no stay.
        """
        hospital = who.hospital or self.hospital
        if hospital is None:
            raise refused("no hospital is named", f"{field}.hospital", remedy="name the scenario's hospital")
        self.require_hospital(hospital, f"{field}.hospital")
        where = pl.col("fixmedins_code") == hospital
        for key, column, names in (
            ("group", "group_id", who.group),
            ("department", "dscg_caty", who.department),
            ("doctor", DOCTOR, who.doctor),
        ):
            if names is None:
                continue
            if column not in self.base.stays.columns:
                raise refused(f"the records have no {column}", f"{field}.{key}", remedy="leave this key out")
            for name in _listed(names):
                self._require(column, name, f"{field}.{key}")
            where = where & pl.col(column).cast(pl.String).is_in(_listed(names))
        found = self.where(where)
        if found.is_empty():
            raise refused(
                f"hospital {hospital} has no stays of this kind that points pay", field, value=_said(who)
            )
        return found

    def require_hospital(self, code: str, field: str) -> None:
        """Raise unless the region has the hospital."""
        known = self.base.region.hospitals["fixmedins_code"]
        if code not in known:
            near = nearest(code, known.to_list())
            hint = f"; nearest is {near!r}" if near else ""
            raise refused(f"the region has no such hospital{hint}", field, code, "see hospitals.csv")

    def _require(self, column: str, name: str, field: str) -> None:
        if column == "group_id":
            ids = pl.concat([part.groups["group_id"] for part in self.base.frozen.parts])
            what = "the catalogue has no such group"
        else:
            ids = self.base.stays[column].cast(pl.String).drop_nulls()
            what = "no stay of the year names this"
        if not (ids == name).any():
            # Codes of doctors are nobody else's business.
            near = None if column == DOCTOR else nearest(name, ids.unique().to_list())
            raise refused(what + (f"; nearest is {near!r}" if near else ""), field, name)

    def where(self, where: pl.Expr) -> pl.DataFrame:
        """Return the stays that points pay for which something holds: AT (null in ``work``), ``_work``, keys."""
        paid = pl.col("outcome").cast(pl.String).is_in(PAID) & pl.col("pool").is_not_null()
        names = [name for name in _PICKED if name in self.base.stays.columns]
        text = [pl.col(name).cast(pl.String) for name in names]
        old = self.base.stays.lazy().filter(where & paid)
        if self.gone.len():
            old = old.filter(~pl.col(AT).is_in(self.gone.implode()))
        new = self.work.lazy().with_row_index("_work").filter(where & paid)
        return pl.concat(
            [
                old.select(AT, pl.lit(None, pl.UInt32).alias("_work"), *text),
                new.select(pl.lit(None, pl.UInt32).alias(AT), "_work", *text),
            ]
        ).collect()

    def remove(self, stays: pl.DataFrame) -> None:
        """Let stays leave."""
        self.gone = pl.concat([self.gone, stays[AT].drop_nulls()])
        left = stays["_work"].drop_nulls()
        if left.len():
            rows = pl.int_range(self.work.height, dtype=pl.UInt32, eager=True)
            self.work = self.work.filter(~rows.is_in(left.implode()))

    def taken(self, stays: pl.DataFrame) -> pl.DataFrame:
        """Take stays out and return them whole, to be changed and put back with :meth:`put`."""
        found = self._whole(stays)
        self.remove(stays)
        return found

    def _whole(self, stays: pl.DataFrame) -> pl.DataFrame:
        old = self.base.stays[stays[AT].drop_nulls()].with_columns(pl.lit(False).alias(_CHANGED))
        return pl.concat([old, self.work[stays["_work"].drop_nulls()]])

    def put(self, stays: pl.DataFrame, changed: bool = True) -> None:
        """Put stays in; ``changed``: they are grouped anew."""
        mark = pl.lit(True) if changed else pl.col(_CHANGED)
        self.work = pl.concat([self.work, stays.with_columns(mark.alias(_CHANGED))], how="vertical_relaxed")

    def again(self, stays: pl.DataFrame) -> None:
        """Put stays in once more, under ids of their own and as stays of other people."""
        self._round += 1
        copies = self._whole(stays)
        ids = copies["setl_id"] + f"+{self._round}"
        nobody = [
            pl.lit(None, copies.schema[name]).alias(name)
            for name in ("psn_no", "readmitted_days")
            if name in copies.columns
        ]
        self.put(copies.with_columns(ids, *nobody), changed=False)

    def grow(self, stays: pl.DataFrame, more: int, seed: int, strata: tuple[str, ...] = STRATUM) -> None:
        """Have ``more`` of the stays (below 0: fewer), in proportion to the strata."""
        if more < 0:
            self.remove(chosen(stays, -more, seed, strata))
            return
        whole, rest = divmod(more, stays.height) if stays.height else (0, 0)
        for _ in range(whole):
            self.again(stays)
        if rest:
            self.again(chosen(stays, rest, seed, strata))

    def change(self, region: Any) -> Change:
        """Return what changed, for the engine."""
        names = record_columns(self.base.stays)
        marked = self.work.filter(_CHANGED)
        copies = self.work.filter(~pl.col(_CHANGED)).drop(_CHANGED)
        return Change(self.gone, marked.select(names), copies, region)


def _said(who: Pick) -> str:
    keys = ("group", "department", "doctor")
    return ", ".join(f"{key} {getattr(who, key)}" for key in keys if getattr(who, key) is not None) or "any"


def scaled(stays: pl.DataFrame, factor: Fraction) -> pl.DataFrame:
    """Return stays with every amount of money times a factor, each rounded half up to the fen."""
    names = [
        name for name in record_columns(stays) if name.endswith("_fen") and stays.schema[name] == pl.Int64
    ]
    times = [
        ratio_half_up(pl.col(name).cast(pl.Int128) * factor.numerator, pl.lit(factor.denominator)).alias(name)
        for name in names
    ]
    # Quality control rejects a stay without any cost.
    return stays.with_columns(times).with_columns(pl.col("medfee_sumamt_fen").clip(lower_bound=1))


def with_days(stays: pl.DataFrame, more: int) -> pl.DataFrame:
    """Return stays that are so many days longer (at least 1 day long), with the day of admission to match."""
    days = (pl.col("act_ipt_days") + more).clip(lower_bound=1)
    moved = pl.col("adm_time") - pl.duration(days=days - pl.col("act_ipt_days"))
    # What is not known stays so; nobody is admitted after discharge.
    late = moved > pl.col("dscg_time")
    return stays.with_columns(
        pl.when(late).then("dscg_time").otherwise(moved).alias("adm_time"),
        days.cast(pl.Int32).alias("act_ipt_days"),
    )
