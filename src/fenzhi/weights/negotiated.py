"""Negotiated weights, and the others rescaled so that the total stays. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import round_half_up


@dataclass(frozen=True)
class Negotiated:
    """What negotiation did: number of groups, the factor of all others, sum of RW x history stays and what of it could
    not be kept (both at 1/10,000; 0 as a rule).
    """

    groups: int
    factor: Fraction
    total_e4: int
    left_e4: int


def _indices(overrides: pl.DataFrame, group_ids: pl.Series) -> list[int]:
    index = {group: at for at, group in enumerate(group_ids)}
    out = []
    for at, group in enumerate(overrides["group_id"]):
        if group not in index:
            raise RegionError(
                "the catalogue has no such group",
                code="REGION_KEY",
                file=overrides["source_file"][at],
                row=overrides["source_row"][at],
                field="group_id",
                value=group,
                remedy="correct the code or remove the row",
            )
        out.append(index[group])
    return out


def negotiate(
    groups: pl.DataFrame, group_ids: pl.Series, overrides: pl.DataFrame, step: int
) -> tuple[pl.DataFrame, Negotiated]:
    """Return ``groups`` with new rw_e4, and what was done.

    ``groups``: history_cases and rw_e4 in the order of ``group_ids``. ``overrides``: group_id, weight_e4, source_file,
    source_row; every group once, every weight positive. ``step``: rounding of the rescaled weights.
    Raises :class:`RegionError` for an unknown group, or if nothing is left that could keep the total.
    """
    fixed = dict(zip(_indices(overrides, group_ids), overrides["weight_e4"], strict=True))
    rows = list(groups.select("rw_e4", "history_cases").iter_rows())
    total = sum((rw or 0) * n for rw, n in rows)
    rest = sum((rw or 0) * n for at, (rw, n) in enumerate(rows) if at not in fixed)
    wanted = total - sum(weight * rows[at][1] for at, weight in fixed.items())
    if rest == 0 or wanted <= 0:
        raise RegionError(
            "every weighted group of the history is negotiated, so none is left to keep the total"
            if rest == 0
            else "the negotiated weights use up the total, nothing is left for the other groups",
            code="WEIGHT_OVERRIDES",
            file=overrides["source_file"][0],
            field="weight",
            remedy="negotiate fewer groups or smaller weights",
        )
    factor = Fraction(wanted, rest)
    weights: list[int | None] = [
        fixed[at] if at in fixed else None if rw is None else round_half_up(rw * factor, step)
        for at, (rw, _) in enumerate(rows)
    ]
    others = [
        _Other(at, group, n, rw * factor)
        for at, ((rw, n), group) in enumerate(zip(rows, group_ids, strict=True))
        if at not in fixed and rw is not None and n > 0
    ]
    for at, weight in _kept_total(others, wanted, step).items():
        weights[at] = weight
    left = total - sum((weight or 0) * n for weight, (_, n) in zip(weights, rows, strict=True))
    new = groups.with_columns(pl.Series("rw_e4", weights, dtype=pl.Int64))
    return new, Negotiated(len(fixed), factor, total, left)


@dataclass(frozen=True)
class _Other:
    """A group that was not negotiated: its place, code, stays of the history, and exact new weight."""

    at: int
    group: str
    stays: int
    exact: Fraction


def _kept_total(others: Sequence[_Other], wanted: int, step: int) -> dict[int, int]:
    """Round the exact weights down or up to a step so that sum of weight x stays is ``wanted``, or as near as it goes.

    All are cut; the steps that are missing go to the weights that lost most, as long as all stays of the group can
    have one; a last rest may be had by one group taking the step of another, or by one more step, if that is nearer.
    """
    cut = {one.at: one.exact // step * step for one in others}
    small = {one.at for one in others if not cut[one.at]}
    cut |= {one.at: round_half_up(one.exact, step) for one in others if one.at in small}
    missing = wanted - sum(cut[one.at] * one.stays for one in others)
    order = sorted(
        (one for one in others if one.at not in small), key=lambda one: (cut[one.at] - one.exact, one.group)
    )
    raised: list[_Other] = []
    without: list[_Other] = []
    for one in order:
        if one.stays * step <= missing:
            missing -= one.stays * step
            raised.append(one)
        else:
            without.append(one)
    if missing >= step:
        raised = _last_rest(raised, without, missing, step)
    return cut | {one.at: cut[one.at] + step for one in raised}


def _last_rest(raised: Sequence[_Other], without: Sequence[_Other], missing: int, step: int) -> list[_Other]:
    """Return which weights get a step so that nothing is missing, or as little as one more step can make it."""
    # The last of those that were raised lost least.
    by_stays = {one.stays: one for one in raised}
    for one in without:
        given = by_stays.get(one.stays - missing // step)
        if given is not None:
            return [*(kept for kept in raised if kept is not given), one]
    fewest = min(without, key=lambda one: one.stays, default=None)
    if fewest is not None and 2 * missing > fewest.stays * step:
        return [*raised, fewest]
    return list(raised)
