"""DRG grouping: numbers in, numbers out.

A catalogue is one list of steps, in the order in which its tables are tried: the terms of a chapter, of each of its
ADRGs, of the DRGs of an ADRG, and actions between them. A stay walks along; a term that does not hold jumps behind
what it guards (``jump``), and the first result ends the walk. Every condition is a *term* (kind, a, b, c): see
``term_holds``.

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
# Actions: ENTER chapter a (b = 1: it asks for a diagnosis) and LEAVE it; SEVERITY looks for CC and MCC; the others end
# the walk: FOUND group a in chapter b, AMBIGUOUS in chapter b, END of the catalogue.
ENTER, SEVERITY, LEAVE, FOUND, AMBIGUOUS, END = 20, 21, 22, 23, 24, 25
LT, LE, GT, GE, EQ, NE = 0, 1, 2, 3, 4, 5
HAS_CC, HAS_MCC = 1, 2  # bits of dx_level
CHAPTER_BITS = 63  # bits of dx_chapters that are used

# The facts that the field check reads stand first.
GENDER, AGE, AGE_DAY, WEIGHT = 0, 1, 2, 3
NEWBORN_DAYS = 28

# Why a stay has no group (see REASONS of fenzhi.grouping.drg); GROUPED: it has one.
GROUPED, NO_PRINCIPAL, DX_UNTRANSLATABLE, OP_UNTRANSLATABLE = 0, 1, 2, 3
SEX_UNKNOWN, AGE_UNKNOWN, NO_AGE_DAYS, NO_WEIGHT = 4, 5, 6, 7
AMBIGUOUS_CASE, UNKNOWN_DX, NO_MDC, SEX_CLOSED, AGE_CLOSED = 8, 9, 10, 11, 12
UNKNOWN_OP, OP_NOT_VALID, NO_ADRG = 13, 14, 15


class Stays(NamedTuple):
    """Stays: facts int64 (facts, n); codes as offsets int64 (n + 1) and int32 numbers, principal / main first.

    ``blank``: the number of the empty operation code, -1 if none is empty. A list of just that is an empty list: that
    is what splitting an empty text gives.
    """

    facts: Int64s
    dx_start: Int64s
    dx: Int32s
    op_start: Int64s
    op: Int32s
    blank: int


class Codes(NamedTuple):
    """What is known of each distinct code.

    ``dx_chapters`` int64: bit m is off if chapter m wants another principal diagnosis (all on beyond bit 62).
    ``dx_level`` int8: bits HAS_CC, HAS_MCC; ``dx_excluded_by`` int32: the list of principal diagnoses that cancel
    it, -1 none; ``*_known``: in the code book; ``*_stuck``: translation is on and has no entry for it.
    """

    dx_bits: np.ndarray
    dx_chapters: Int64s
    dx_level: Int8s
    dx_excluded_by: Int32s
    dx_known: Bools
    dx_stuck: Bools
    op_bits: np.ndarray
    op_known: Bools
    op_stuck: Bools


class Rules(NamedTuple):
    """A compiled catalogue.

    Steps in order: kind int8, a int32, b and c int64, jump int32 (where to go on if the term does not hold; -1: with
    the next chapter). ``chapters`` int32: the first step of each, then the END. ``values`` int64: what terms of
    several numbers point into.
    ``valid``: the list of operations that count. ``retry``: a stay without a group is tried with each further
    operation alone.
    """

    kind: Int8s
    a: Int32s
    b: Int64s
    c: Int64s
    jump: Int32s
    chapters: Int32s
    values: Int64s
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
def field_fault(gender: int, age: int, days: int, weight: int) -> int:
    """Return why the figures of a stay do not suffice for grouping, GROUPED if they do."""
    if gender != 1 and gender != 2:
        return SEX_UNKNOWN
    if age == NONE:
        return AGE_UNKNOWN
    if age == 0:
        if days == NONE:
            return NO_AGE_DAYS
        if days <= NEWBORN_DAYS and weight == NONE:
            return NO_WEIGHT
    return GROUPED


@njit(cache=True, nogil=True)
def next_chapter(can_open: int, chapter: int, last: int) -> int:
    """Return the next chapter that the bits let in, ``last`` if there is none."""
    chapter += 1
    while chapter < min(last, CHAPTER_BITS) and (can_open >> chapter) & 1 == 0:
        chapter += 1
    return chapter


@njit(cache=True, nogil=True)
def group_stays(
    start: int, end: int, stays: Stays, codes: Codes, rules: Rules,
    group: Int32s, mdc: Int32s, reason: Int8s, way: Int32s,
) -> None:  # fmt: skip
    """Group stays ``start`` to ``end - 1``.

    Out: group int32 (n), -1 none; mdc int32 (n), the chapter that took the stay or is ambiguous, -1 none; reason int8
    (n); way int32 (lines, 3): the steps walked (step, 1 if it held, operation tried alone or -1) from line 1 on,
    their number in way[0, 0]; without lines nothing is written.
    """
    # Arrays are taken out of the tuples once: numba counts a reference for every one it takes out or hands on,
    # which is also why the commonest terms are answered here and not in term_holds.
    facts, dx_start, dx, op_start, op = stays.facts, stays.dx_start, stays.dx, stays.op_start, stays.op
    dx_bits, dx_level, dx_excluded_by = codes.dx_bits, codes.dx_level, codes.dx_excluded_by
    dx_known, dx_stuck, dx_chapters = codes.dx_known, codes.dx_stuck, codes.dx_chapters
    op_bits, op_known, op_stuck = codes.op_bits, codes.op_known, codes.op_stuck
    kinds, term_a, term_b, term_c = rules.kind, rules.a, rules.b, rules.c
    jump, chapters, values = rules.jump, rules.chapters, rules.values
    valid, retry = rules.valid, rules.retry
    last_chapter = len(chapters) - 1
    blank = stays.blank
    lines = way.shape[0]
    for i in range(start, end):
        group[i] = -1
        mdc[i] = -1
        d0, d1 = dx_start[i], dx_start[i + 1]
        first, last = op_start[i], op_start[i + 1]
        if last - first == 1 and op[first] == blank:
            last = first
        if d1 == d0 or dx[d0] < 0:
            reason[i] = NO_PRINCIPAL
            continue
        fault = GROUPED
        for k in range(first, last):
            if op[k] >= 0 and op_stuck[op[k]]:
                fault = OP_UNTRANSLATABLE
        for k in range(d0, d1):
            if dx[k] >= 0 and dx_stuck[dx[k]]:
                fault = DX_UNTRANSLATABLE
        if fault == GROUPED:
            fault = field_fault(facts[GENDER, i], facts[AGE, i], facts[AGE_DAY, i], facts[WEIGHT, i])
        if fault != GROUPED:
            reason[i] = fault
            continue

        principal = dx[d0]
        entered = False
        p0, p1 = first, last
        can_open = dx_chapters[principal]
        chapter = next_chapter(can_open, -1, last_chapter)
        at, severity = chapters[chapter], 0
        while True:
            kind, a = kinds[at], term_a[at]
            holds = True
            if kind == MAIN_DX_IN:
                holds = (np.int64(dx_bits[principal, a >> 5]) >> (a & 31)) & 1 == 1
            elif kind == MAIN_OP_IN:
                holds = p1 > p0 and op[p0] >= 0 and (np.int64(op_bits[op[p0], a >> 5]) >> (a & 31)) & 1 == 1
            elif kind == HAS_OP:
                holds = p1 > p0
            elif kind == MCC:
                holds = severity & HAS_MCC != 0
            elif kind == MCC_OR_CC:
                holds = severity != 0
            elif kind == SEVERITY:
                severity = severity_of(dx_bits, dx_level, dx_excluded_by, dx, d0, d1)
            elif kind == LEAVE:
                holds = False
            elif kind == ENTER:
                entered = entered or term_b[at] == 1
            elif kind < ENTER:
                holds = term_holds(
                    kind, a, term_b[at], term_c[at], values,
                    i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, severity,
                )  # fmt: skip
            if lines > 0:
                n = way[0, 0] + 1
                way[0, 0] = n
                if n < lines:
                    way[n, 0] = at
                    way[n, 1] = 1 if holds else 0
                    way[n, 2] = -1 if p0 == first else p0 - first
            if kind < FOUND:
                if holds:
                    at += 1
                elif jump[at] >= 0:
                    at = jump[at]
                else:
                    chapter = next_chapter(can_open, chapter, last_chapter)
                    at = chapters[chapter]
                continue
            if kind == END and retry and p0 + 1 < last:
                # Try the next operation as the only one.
                p0 += 1
                p1 = p0 + 1
                chapter = next_chapter(can_open, -1, last_chapter)
                at, severity = chapters[chapter], 0
                continue
            break
        if kind == END:
            main = op[first] if last > first else -1
            reason[i] = why_not(
                i, entered, dx_known[principal], last > first,
                main >= 0 and op_known[main], is_in(op_bits, main, valid),
                kinds, term_a, term_b, term_c, chapters, values,
                facts, dx_bits, dx, d0, d1, op_bits, op, first, last,
            )  # fmt: skip
        else:
            mdc[i] = term_b[at]
            reason[i] = AMBIGUOUS_CASE if kind == AMBIGUOUS else GROUPED
            if kind == FOUND:
                group[i] = term_a[at]


@njit(cache=True, nogil=True)
def why_not(
    i: int, entered: bool, dx_known: bool, operated: bool, op_known: bool, op_valid: bool,
    kinds: Int8s, term_a: Int32s, term_b: Int64s, term_c: Int64s, chapters: Int32s, values: Int64s,
    facts: Int64s, dx_bits: np.ndarray, dx: Int32s, d0: int, d1: int,
    op_bits: np.ndarray, op: Int32s, p0: int, p1: int,
) -> int:  # fmt: skip
    """Return why a stay has no group, in terms its hospital can act on."""
    if not dx_known:
        return UNKNOWN_DX
    if entered:
        if operated and not op_known:
            return UNKNOWN_OP
        return OP_NOT_VALID if operated and not op_valid else NO_ADRG
    # A chapter that the diagnoses open and only sex or age closes: look at the terms before its ENTER.
    for m in range(len(chapters) - 1):
        closed = GROUPED
        at = chapters[m]
        while kinds[at] != ENTER:
            if not term_holds(
                kinds[at], term_a[at], term_b[at], term_c[at], values,
                i, facts, dx_bits, dx, d0, d1, op_bits, op, p0, p1, 0,
            ):  # fmt: skip
                if closed == GROUPED and kinds[at] == COMPARE and term_a[at] == GENDER:
                    closed = SEX_CLOSED
                elif closed == GROUPED and kinds[at] == COMPARE and term_a[at] == AGE:
                    closed = AGE_CLOSED
                else:
                    closed = NO_MDC
            at += 1
        if term_b[at] == 1 and closed in (SEX_CLOSED, AGE_CLOSED):
            return closed
    return NO_MDC
