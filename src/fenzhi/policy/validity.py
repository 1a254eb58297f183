"""When packs hold: exactly one pack for every day of discharge, none for two. Catalogues of a year likewise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from fenzhi.errors import PolicyError
from fenzhi.policy.models import Policy

_DAY = timedelta(days=1)
FIRST, LAST = date.min, date.max


class Span(NamedTuple):
    """The days on which something holds, both ends included."""

    first: date
    last: date
    name: str


class Dated(NamedTuple):
    """What holds by date: its word in messages, its error codes, the field that says from when."""

    word: str
    gap: str
    overlap: str
    twice: str
    field: str


PACKS = Dated("pack", "POLICY_GAP", "POLICY_OVERLAP", "POLICY_TWICE", "meta.valid_from")
CATALOGS = Dated(
    "catalogue", "CATALOG_DATES_GAP", "CATALOG_DATES_OVERLAP", "CATALOG_TWICE", "catalog.valid_from"
)


def span_of(policy: Policy) -> Span:
    """Return the days on which a pack holds; an open end lasts for ever."""
    return Span(policy.meta.valid_from or FIRST, policy.meta.valid_to or LAST, policy.meta.id)


def validity(policy: Policy) -> str:
    """Return when a pack holds, as text: ``2024-01-01 – 2024-12-31``, an open end left empty."""
    return f"{policy.meta.valid_from or ''} – {policy.meta.valid_to or ''}".strip()


def validity_errors(
    packs: Sequence[Policy], first: date | None = None, last: date | None = None
) -> list[PolicyError]:
    """Return every gap and overlap of the packs of one region, see :func:`span_errors`."""
    return span_errors([span_of(pack) for pack in packs], first, last)


def span_errors(
    spans: Sequence[Span], first: date | None = None, last: date | None = None, dated: Dated = PACKS
) -> list[PolicyError]:
    """Return every gap and overlap of spans, as errors that name what holds and dates.

    ``first``, ``last``: the days that must be covered; without them from the first span's begin to the last
    one's end.
    """
    ordered = sorted(spans)
    out = []
    begin = ordered[0].first if first is None else first
    until = begin - _DAY if begin > FIRST else None  # the last day covered so far
    holder = None
    for span in ordered:
        if last is not None and span.first > last:
            break
        if span.last < begin:
            continue
        if holder is not None and until is not None and span.first <= until:
            both = Span(max(span.first, begin), min(span.last, until), f"{holder.name} and {span.name}")
            out.append(_overlap(both, span.first, dated))
        elif until is not None and span.first > until + _DAY:
            out.append(_gap(until + _DAY, span.first - _DAY, dated))
        if until is None or span.last > until or holder is None:
            until, holder = span.last, span
    if last is not None and until is not None and until < last:
        out.append(_gap(until + _DAY, last, dated))
    return out


def _overlap(both: Span, start: date, dated: Dated) -> PolicyError:
    to = "without end" if both.last == LAST else f"to {both.last}"
    return PolicyError(
        f"two {dated.word}s hold from {both.first} {to}: {both.name}",
        code=dated.overlap,
        field=dated.field,
        value=start,
        remedy="let valid_to of the one be the day before valid_from of the next",
    )


def _gap(first: date, last: date, dated: Dated) -> PolicyError:
    return PolicyError(
        f"no {dated.word} holds from {first} to {last}",
        code=dated.gap,
        field=dated.field,
        remedy="let valid_to of the one be the day before valid_from of the next, and name a "
        f"{dated.word} for these days",
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


def twice_error(names: Sequence[str], dated: Dated = PACKS) -> list[PolicyError]:
    """Return the error that two packs or catalogues of a year have one name: results tell them apart by it."""
    twice = sorted({name for name in names if names.count(name) > 1})
    return [
        PolicyError(
            f"two {dated.word}s of the year are called {name}",
            code=dated.twice,
            value=name,
            remedy=f"give each {dated.word} an id of its own, and name each once",
        )
        for name in twice
    ]


def same_rules(one: Policy, two: Policy) -> bool:
    """Say whether two packs pay alike: they differ in nothing but name, dates, sources and confidence."""
    return not differing(one, two)


def differing(one: Policy, two: Policy) -> list[str]:
    """Return the sections (and ``scheme``) in which two packs have different rules, in their order."""
    left, right = _rules(one), _rules(two)
    return [name for name in left if left[name] != right[name]]


def _rules(policy: Policy) -> dict[str, object]:
    sections = policy.model_dump(exclude={"meta"})
    return {
        "scheme": policy.meta.scheme,
        **{name: _unsourced(section) for name, section in sections.items()},
    }


def _unsourced(section: object) -> object:
    """Return a section, or each of a list of them, without its source and confidence."""
    if isinstance(section, dict):
        return {key: value for key, value in section.items() if key not in ("cite", "confidence")}
    return [_unsourced(one) for one in section] if isinstance(section, list | tuple) else section


# Sections that only look at one stay and its day; every other one concerns the whole year and its fund.
BY_STAY = frozenset(
    (
        "scope",
        "grouping",
        "ungrouped",
        "tcm",
        "weights",
        "coefficients",
        "grassroots",
        "auxiliary",
        "points",
        "stability",
        "deviation",
        "incomplete",
        "bed_day",
        "readmission",
        "add_ons",
        "special_review",
    )
)
# Keys of those sections without which points of two packs could not be added up, or which count the whole year.
OF_YEAR = (
    ("weights", "scale"),
    ("points", "decimals"),
    ("special_review", "quota"),
    ("special_review", "level_quotas"),
    ("special_review", "rank_by"),
    ("special_review", "outcomes"),
)


def year_errors(packs: Sequence[Policy]) -> list[PolicyError]:
    """Return what keeps packs from paying one year together: rules of the whole year in which they differ.

    Special review may begin or end within the year; its quota and ranking are of the whole year.
    """
    found = []
    for pack in packs[1:]:
        names = [name for name in differing(packs[0], pack) if name not in (*BY_STAY, "scheme")]
        found += [_one_for_the_year(packs[0], pack, name) for name in names]
    for section, key in OF_YEAR:
        having = [pack for pack in packs if getattr(pack, section) is not None]
        for pack in having[1:]:
            if getattr(getattr(pack, section), key) != getattr(getattr(having[0], section), key):
                found.append(_one_for_the_year(having[0], pack, f"{section}.{key}"))
    return found


def _one_for_the_year(one: Policy, two: Policy, name: str) -> PolicyError:
    return PolicyError(
        f"the packs {one.meta.id} and {two.meta.id} differ in {name}, and one year has one rule there",
        code="POLICY_YEAR",
        field=name,
        remedy="set it alike in both, or let the other rule begin with a year of its own; fenzhi policy diff shows "
        "how they differ",
    )
