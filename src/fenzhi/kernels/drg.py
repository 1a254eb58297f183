"""DRG grouping: numbers in, numbers out.

A stay walks through chapters, the ADRGs of each entered chapter and the DRGs of an accepted ADRG, in the order
of the tables, and stops at the first that takes it. Every condition is a *term* (kind, a, b, c), see
``term_holds``; a chapter, an ADRG (one alternative is one entry) and a DRG hold if all their terms do.

Codes are numbers of the distinct codes that occur; ``dx_bits`` / ``op_bits`` say which lists a code is in:
uint32 (codes, words), list ``l`` is bit ``l & 31`` of word ``l >> 5``. Facts of a stay are int64 (facts, stays),
``NONE`` where not given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fenzhi.arrays import Bools, Int8s, Int32s, Int64s

NONE = np.int64(-(2**62))

# Kinds of terms: a is a list of codes or a fact, [b, c) a part of ``values``.
MAIN_DX_IN, MAIN_DX_NOT_IN, ANY_DX_IN, SEC_DX_IN = 0, 1, 2, 3
HAS_OP, MAIN_OP_IN, MAIN_OP_NOT_IN, ANY_OP_IN, SEC_OP_IN, NO_OP_IN = 4, 5, 6, 7, 8, 9
KNOWN, COMPARE, ONE_OF = 10, 11, 12  # COMPARE: fact a, comparison b, number c
OP_TAGS = 13  # lists in values, -1 after each AND-set: one set has an operation in each of its lists
SITES = 14  # lists in values: diagnoses touch at least a of them
MCC, CC, MCC_OR_CC = 15, 16, 17
LT, LE, GT, GE, EQ, NE = 0, 1, 2, 3, 4, 5
HAS_CC, HAS_MCC = 1, 2  # bits of dx_level

# The facts that the field check reads stand first.
GENDER, AGE, AGE_DAY, WEIGHT = 0, 1, 2, 3
NEWBORN_DAYS = 28

# Outcomes of a stay where there is no group (see REASONS of fenzhi.grouping.drg).
FOUND, NO_PRINCIPAL, DX_UNTRANSLATABLE, OP_UNTRANSLATABLE = 0, 1, 2, 3
SEX_UNKNOWN, AGE_UNKNOWN, NO_AGE_DAYS, NO_WEIGHT = 4, 5, 6, 7
AMBIGUOUS, UNKNOWN_DX, NO_MDC, SEX_CLOSED, AGE_CLOSED = 8, 9, 10, 11, 12
UNKNOWN_OP, OP_NOT_VALID, NO_ADRG = 13, 14, 15

# Kinds of lines in the written way: chapter, ADRG entry, DRG row, QY slot, returned ADRG, next operation tried.
AT_MDC, AT_ADRG, AT_DRG, AT_QY, AT_RETURN, AT_RETRY = 0, 1, 2, 3, 4, 5


class Stays(NamedTuple):
    """Stays: facts int64 (facts, n); codes as offsets int64 (n + 1) and int32 numbers, principal / main first."""

    facts: Int64s
    dx_start: Int64s
    dx: Int32s
    op_start: Int64s
    op: Int32s


class Codes(NamedTuple):
    """What is known of each distinct code.

    ``dx_level`` int8: bits HAS_CC, HAS_MCC; ``dx_excluded_by`` int32: the list of principal diagnoses that cancel
    it, -1 none; ``*_known``: in the code book; ``*_stuck``: translation is on and has no entry for it.
    """

    dx_bits: np.ndarray
    dx_level: Int8s
    dx_excluded_by: Int32s
    dx_known: Bools
    dx_stuck: Bools
    op_bits: np.ndarray
    op_known: Bools
    op_stuck: Bools


class Rules(NamedTuple):
    """A compiled catalogue; ``*_start`` hold one more than there are rows.

    Terms: term_kind int8, term_a int32, term_b int64, term_c int64, values int64. Chapters in order: mdc_terms,
    mdc_entries (first entry), mdc_qy (term or -1), mdc_qy_at (entry before which the QY slot lies). Entries
    (an alternative of an ADRG each) in order: entry_terms, entry_rows (first DRG row), entry_needs_cc,
    entry_return (group without a fitting DRG, -1 = go on). DRG rows: row_terms, row_group. ``valid``: list of
    operations that count. ``retry``: try each further operation alone. ``dx_driven``: the chapter asks for a diagnosis.
    """

    term_kind: Int8s
    term_a: Int32s
    term_b: Int64s
    term_c: Int64s
    values: Int64s
    mdc_terms: Int32s
    mdc_entries: Int32s
    mdc_qy: Int32s
    mdc_qy_at: Int32s
    mdc_dx_driven: Bools
    entry_terms: Int32s
    entry_rows: Int32s
    entry_needs_cc: Bools
    entry_return: Int32s
    row_terms: Int32s
    row_group: Int32s
    valid: int
    retry: bool


@njit(cache=True, nogil=True)
def is_in(bits: np.ndarray, code: int, number: int) -> bool:
    """Tell whether a code (-1 = none) is in a list."""
    return code >= 0 and (np.int64(bits[code, number >> 5]) >> (number & 31)) & 1 == 1


@njit(cache=True, nogil=True)
def any_in(bits: np.ndarray, codes: Int32s, first: int, last: int, number: int) -> bool:
    """Tell whether one of ``codes[first:last]`` is in a list."""
    for k in range(first, last):
        if is_in(bits, codes[k], number):
            return True
    return False


@njit(cache=True, nogil=True)
def compares(value: int, comparison: int, limit: int) -> bool:
    """Compare two known numbers."""
    if comparison == LT:
        return value < limit
    if comparison == LE:
        return value <= limit
    if comparison == GT:
        return value > limit
    if comparison == GE:
        return value >= limit
    if comparison == EQ:
        return value == limit
    return value != limit


@njit(cache=True, nogil=True)
def tags_hold(values: Int64s, b: int, c: int, op_bits: np.ndarray, op: Int32s, p0: int, p1: int) -> bool:
    """Tell whether an AND-set of lists (each ended by -1) has an operation in each of its lists."""
    whole = True
    for k in range(b, c):
        if values[k] < 0:
            if whole:
                return True
            whole = True
        elif whole and not any_in(op_bits, op, p0, p1, values[k]):
            whole = False
    return False


@njit(cache=True, nogil=True)
def term_holds(
    kind: int, a: int, b: int, c: int, values: Int64s,
    i: int, facts: Int64s, dx_bits: np.ndarray, dx: Int32s, d0: int, d1: int,
    op_bits: np.ndarray, op: Int32s, p0: int, p1: int, severity: int,
) -> bool:  # fmt: skip
    """Tell whether a term holds for stay ``i`` with diagnoses dx[d0:d1] and operations op[p0:p1]."""
    if kind == MAIN_DX_IN:
        return d1 > d0 and is_in(dx_bits, dx[d0], a)
    if kind == MAIN_OP_IN:
        return p1 > p0 and is_in(op_bits, op[p0], a)
    if kind == HAS_OP:
        return p1 > p0
    if kind == ANY_DX_IN:
        return any_in(dx_bits, dx, d0, d1, a)
    if kind == SEC_DX_IN:
        return any_in(dx_bits, dx, d0 + 1, d1, a)
    if kind == MAIN_DX_NOT_IN:
        return not (d1 > d0 and is_in(dx_bits, dx[d0], a))
    if kind == ANY_OP_IN:
        return any_in(op_bits, op, p0, p1, a)
    if kind == SEC_OP_IN:
        return any_in(op_bits, op, p0 + 1, p1, a)
    if kind == NO_OP_IN:
        return not any_in(op_bits, op, p0, p1, a)
    if kind == MAIN_OP_NOT_IN:
        return not (p1 > p0 and is_in(op_bits, op[p0], a))
    if kind == MCC:
        return severity & HAS_MCC != 0
    if kind == CC:
        return severity & HAS_CC != 0
    if kind == MCC_OR_CC:
        return severity != 0
    if kind == OP_TAGS:
        return tags_hold(values, b, c, op_bits, op, p0, p1)
    if kind == SITES:
        touched = 0
        for k in range(b, c):
            if any_in(dx_bits, dx, d0, d1, values[k]):
                touched += 1
        return touched >= a
    fact = facts[a, i]
    if fact == NONE:
        return False
    if kind == COMPARE:
        return compares(fact, b, c)
    if kind == ONE_OF:
        for k in range(b, c):
            if values[k] == fact:
                return True
        return False
    return True  # KNOWN


@njit(cache=True, nogil=True)
def severity_of(
    dx_bits: np.ndarray, dx_level: Int8s, dx_excluded_by: Int32s, dx: Int32s, d0: int, d1: int
) -> int:
    """Return the bits HAS_CC and HAS_MCC of the further diagnoses that the principal one does not cancel."""
    found = 0
    for k in range(d0 + 1, d1):
        code = dx[k]
        if code >= 0 and dx_level[code] != 0 and found | dx_level[code] != found:
            table = dx_excluded_by[code]
            if table < 0 or not is_in(dx_bits, dx[d0], table):
                found |= dx_level[code]
    return found


@njit(cache=True, nogil=True)
def write_line(way: Int32s, kind: int, at: int, failed: int) -> None:
    """Write a line of the way if it is asked for: way int32 (lines, 3), way[0, 0] counts the lines."""
    if way.shape[0] > 0:
        n = way[0, 0] + 1
        way[0, 0] = n
        if n < way.shape[0]:
            way[n, 0] = kind
            way[n, 1] = at
            way[n, 2] = failed


@njit(cache=True, nogil=True)
def field_fault(gender: int, age: int, days: int, weight: int) -> int:
    """Return why the figures of a stay do not suffice for grouping, FOUND if they do."""
    if gender != 1 and gender != 2:
        return SEX_UNKNOWN
    if age == NONE:
        return AGE_UNKNOWN
    if age == 0:
        if days == NONE:
            return NO_AGE_DAYS
        if days <= NEWBORN_DAYS and weight == NONE:
            return NO_WEIGHT
    return FOUND


@njit(cache=True, nogil=True)
def group_stays(
    start: int, end: int, stays: Stays, codes: Codes, rules: Rules,
    group: Int32s, mdc: Int32s, reason: Int8s, way: Int32s,
) -> None:  # fmt: skip
    """Group stays ``start`` to ``end - 1``.

    Out: group int32 (n), -1 none; mdc int32 (n), the chapter that took the stay or is ambiguous, -1 none; reason
    int8 (n); way int32 (lines, 3): what was looked at (kind, index, the term that failed or -1), empty if not wanted.
    """
    # Arrays are taken out of the tuples once: numba counts a reference for every one it takes out.
    facts, dx_start, dx, op_start, op = stays.facts, stays.dx_start, stays.dx, stays.op_start, stays.op
    dx_bits, dx_level, dx_excluded_by = codes.dx_bits, codes.dx_level, codes.dx_excluded_by
    dx_known, dx_stuck = codes.dx_known, codes.dx_stuck
    op_bits, op_known, op_stuck = codes.op_bits, codes.op_known, codes.op_stuck
    kinds, term_a, term_b, term_c, values = (
        rules.term_kind,
        rules.term_a,
        rules.term_b,
        rules.term_c,
        rules.values,
    )
    mdc_terms, mdc_entries, mdc_dx_driven = rules.mdc_terms, rules.mdc_entries, rules.mdc_dx_driven
    mdc_qy, mdc_qy_at = rules.mdc_qy, rules.mdc_qy_at
    entry_terms, entry_rows = rules.entry_terms, rules.entry_rows
    entry_needs_cc, entry_return = rules.entry_needs_cc, rules.entry_return
    row_terms, row_group = rules.row_terms, rules.row_group
    chapters = len(mdc_qy)
    for i in range(start, end):
        group[i] = -1
        mdc[i] = -1
        d0, d1 = dx_start[i], dx_start[i + 1]
        first, last = op_start[i], op_start[i + 1]
        if d1 == d0 or dx[d0] < 0:
            reason[i] = NO_PRINCIPAL
            continue
        stuck = FOUND
        for k in range(first, last):
            if op[k] >= 0 and op_stuck[op[k]]:
                stuck = OP_UNTRANSLATABLE
        for k in range(d0, d1):
            if dx[k] >= 0 and dx_stuck[dx[k]]:
                stuck = DX_UNTRANSLATABLE
        if stuck == FOUND:
            stuck = field_fault(facts[GENDER, i], facts[AGE, i], facts[AGE_DAY, i], facts[WEIGHT, i])
        if stuck != FOUND:
            reason[i] = stuck
            continue

        entered = False
        p0, p1 = first, last
        answer = -1
        while True:
            for m in range(chapters):
                failed = -1
                for t in range(mdc_terms[m], mdc_terms[m + 1]):
                    if not term_holds(
                        kinds[t], term_a[t], term_b[t], term_c[t], values,
                        i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, 0,
                    ):  # fmt: skip
                        failed = t
                        break
                write_line(way, AT_MDC, m, failed)
                if failed >= 0:
                    continue
                entered = entered or mdc_dx_driven[m]
                for e in range(mdc_entries[m], mdc_entries[m + 1] + 1):
                    if e == mdc_qy_at[m] and mdc_qy[m] >= 0:
                        t = mdc_qy[m]
                        if term_holds(
                            kinds[t], term_a[t], term_b[t], term_c[t], values,
                            i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, 0,
                        ):  # fmt: skip
                            write_line(way, AT_QY, m, -1)
                            answer = AMBIGUOUS
                            break
                        write_line(way, AT_QY, m, t)
                    if e == mdc_entries[m + 1]:
                        break
                    failed = -1
                    for t in range(entry_terms[e], entry_terms[e + 1]):
                        if not term_holds(
                            kinds[t], term_a[t], term_b[t], term_c[t], values,
                            i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, 0,
                        ):  # fmt: skip
                            failed = t
                            break
                    write_line(way, AT_ADRG, e, failed)
                    if failed >= 0:
                        continue
                    severity = 0
                    if entry_needs_cc[e]:
                        severity = severity_of(dx_bits, dx_level, dx_excluded_by, dx, d0, d1)
                    for r in range(entry_rows[e], entry_rows[e + 1]):
                        failed = -1
                        for t in range(row_terms[r], row_terms[r + 1]):
                            if not term_holds(
                                kinds[t], term_a[t], term_b[t], term_c[t], values,
                                i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, severity,
                            ):  # fmt: skip
                                failed = t
                                break
                        write_line(way, AT_DRG, r, failed)
                        if failed < 0:
                            group[i] = row_group[r]
                            break
                    if group[i] < 0 and entry_return[e] >= 0:
                        group[i] = entry_return[e]
                        write_line(way, AT_RETURN, e, -1)
                    if group[i] >= 0:
                        answer = FOUND
                        break
                if answer >= 0:
                    mdc[i] = m
                    break
            if answer >= 0 or not rules.retry:
                break
            # Try the next operation as the only one.
            p0 = first + 1 if p1 == last and p0 == first else p0 + 1
            if p0 >= last:
                break
            p1 = p0 + 1
            write_line(way, AT_RETRY, p0 - first, -1)
        if answer < 0:
            answer = why_not(
                i, entered, dx[d0], op[first] if last > first else -1, last > first, dx_known, op_known,
                rules.valid, op_bits, kinds, term_a, term_b, term_c, values, mdc_terms, mdc_dx_driven,
                facts, dx_bits, dx, d0, d1, op, first, last,
            )  # fmt: skip
        reason[i] = answer


@njit(cache=True, nogil=True)
def why_not(
    i: int, entered: bool, principal: int, main: int, operated: bool, dx_known: Bools, op_known: Bools,
    valid: int, op_bits: np.ndarray, kinds: Int8s, term_a: Int32s, term_b: Int64s, term_c: Int64s,
    values: Int64s, mdc_terms: Int32s, mdc_dx_driven: Bools,
    facts: Int64s, dx_bits: np.ndarray, dx: Int32s, d0: int, d1: int, op: Int32s, p0: int, p1: int,
) -> int:  # fmt: skip
    """Return why a stay has no group, in terms its hospital can act on."""
    if not dx_known[principal]:
        return UNKNOWN_DX
    if entered:
        if operated and (main < 0 or not op_known[main]):
            return UNKNOWN_OP
        if operated and not is_in(op_bits, main, valid):
            return OP_NOT_VALID
        return NO_ADRG
    # A chapter that the diagnoses open and only sex or age closes.
    for m in range(len(mdc_terms) - 1):
        closed = -1
        for t in range(mdc_terms[m], mdc_terms[m + 1]):
            if not mdc_dx_driven[m] or not term_holds(
                kinds[t], term_a[t], term_b[t], term_c[t], values,
                i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, 0,
            ):  # fmt: skip
                if closed < 0 and kinds[t] == COMPARE and term_a[t] == GENDER:
                    closed = SEX_CLOSED
                elif closed < 0 and kinds[t] == COMPARE and term_a[t] == AGE:
                    closed = AGE_CLOSED
                else:
                    closed = NO_MDC
        if closed in (SEX_CLOSED, AGE_CLOSED):
            return closed
    return NO_MDC
