"""When packs hold: exactly one pack for every day of discharge, none for two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from fenzhi.errors import PolicyError
from fenzhi.policy.models import Policy

_DAY = timedelta(days=1)
FIRST, LAST = date.min, date.max


def _span(policy: Policy) -> tuple[date, date]:
    return policy.meta.valid_from or FIRST, policy.meta.valid_to or LAST


def validity(policy: Policy) -> str:
    """Return when a pack holds, as text: ``2024-01-01 – 2024-12-31``, an open end left empty."""
    return f"{policy.meta.valid_from or ''} – {policy.meta.valid_to or ''}".strip()


def validity_errors(
    packs: Sequence[Policy], first: date | None = None, last: date | None = None
) -> list[PolicyError]:
    """Return every gap and overlap of the packs of one region, as errors that name packs and dates.

    ``first``, ``last``: the days that must be covered; without them from the first pack's begin to the last
    one's end. Both ends of a pack's validity are included.
    """
    ordered = sorted(packs, key=_span)
    out = []
    begin = _span(ordered[0])[0] if first is None else first
    until = begin - _DAY if begin > FIRST else None  # the last day covered so far
    holder = None
    for pack in ordered:
        start, end = _span(pack)
        if last is not None and start > last:
            break
        if end < begin:
            continue
        if holder is not None and until is not None and start <= until:
            out.append(_overlap(holder, pack, max(start, begin), min(end, until)))
        elif until is not None and start > until + _DAY:
            out.append(_gap(until + _DAY, start - _DAY))
        if until is None or end > until or holder is None:
            until, holder = end, pack
    if last is not None and until is not None and until < last:
        out.append(_gap(until + _DAY, last))
    return out


def _overlap(one: Policy, two: Policy, first: date, last: date) -> PolicyError:
    to = "without end" if last == LAST else f"to {last}"
    return PolicyError(
        f"two packs hold from {first} {to}: {one.meta.id} and {two.meta.id}",
        code="POLICY_OVERLAP",
        field="meta.valid_from",
        value=two.meta.valid_from,
        remedy="let valid_to of the one be the day before valid_from of the next",
    )


def _gap(first: date, last: date) -> PolicyError:
    return PolicyError(
        f"no pack holds from {first} to {last}",
        code="POLICY_GAP",
        field="meta.valid_from",
        remedy="let valid_to of the one be the day before valid_from of the next, and name a pack for these days",
    )


def scheme_errors(packs: Sequence[Policy]) -> list[PolicyError]:
    """Return the error that the packs of one region are for different schemes."""
    schemes = sorted({pack.meta.scheme for pack in packs})
    if len(schemes) < 2:
        return []
    return [
        PolicyError(
            f"the packs are for {' and '.join(schemes)}",
            code="POLICY_SCHEME",
            field="meta.scheme",
            remedy="name packs of one scheme",
        )
    ]


def policy_of(stays: pl.DataFrame, packs: Sequence[Policy]) -> pl.Series:
    """Return for each stay the place of its pack in ``packs`` (UInt32), by the date of ``dscg_time``.

    Null where the date is not known. Raises :class:`PolicyError` POLICY_OVERLAP or POLICY_GAP, with the dates,
    if the packs overlap, or hold not on every day between the first and the last discharge.
    """
    days = stays["dscg_time"].dt.date()
    first, last = days.min(), days.max()
    assert first is None or isinstance(first, date)
    assert last is None or isinstance(last, date)
    errors = validity_errors(packs, first, last)
    if errors:
        raise errors[0]
    place = pl.lit(None, pl.UInt32)
    for at, pack in enumerate(packs):
        place = pl.when(days.is_between(*_span(pack))).then(pl.lit(at, pl.UInt32)).otherwise(place)
    return stays.select(place.alias("policy")).to_series()


def same_rules(one: Policy, two: Policy) -> bool:
    """Say whether two packs pay alike: they differ in nothing but name, dates, sources and confidence."""
    return _rules(one) == _rules(two)


def _rules(policy: Policy) -> dict[str, object]:
    sections = policy.model_dump(exclude={"meta"})
    return {
        "scheme": policy.meta.scheme,
        **{
            name: section
            and {key: value for key, value in section.items() if key not in ("cite", "confidence")}
            for name, section in sections.items()
        },
    }
