"""DIP matching: dense ids in, group indices out. Rules have become sorted tables; no text, no policy.

All in one file on purpose: numba's cache looks at a kernel's own file only, so a function that moved elsewhere could
change while the cached kernel goes on with the old one.

A stay looks up the entries of its principal diagnosis (full code, 4 and 3 characters, ranges, any) under its operation
keys and evaluates only those. An entry leads to a clause: one AND-set of a catalogue row. Entries of one key are sorted
by precedence, so the first that accepts wins. Shapes: ``n`` stays, ``d`` distinct diagnosis codes, ``o``
distinct operation codes,
``t`` diagnosis tokens, ``e`` entries, ``c`` clauses. All inputs are read-only and C-contiguous; -1 = none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fenzhi.arrays import Bools, Int8s, Int32s, Int64s

# Operation keys that are not codes. Kinds of comprehensive rows follow from KEY_KIND on.
KEY_CONSERVATIVE = 0
KEY_ANY = 1
KEY_KIND = 2
KEY_FIRST_TOKEN = 8
# The kind of operations of surgery.
SURGERY = 4

# Flags of an operation code: how it is excluded, or that nothing is written there.
FREE, CANNOT_BE_MAIN, AS_CONSERVATIVE, MAIN_WITHIN, BLANK = 0, 1, 2, 3, 4

# Reasons a stay ends with.
FOUND, NO_DIAGNOSIS, EXCLUDED_DIAGNOSIS, NO_GROUP = 0, 1, 2, 3

# Distance of a group whose mean cost is not known.
FARTHEST = np.int64(9223372036854775807)

# What an entry answers.
ACCEPTED, FAILS_OPERATIONS, FAILS_OTHER_DIAGNOSIS, FAILS_ANY_DIAGNOSIS, FAILS_AGE, FAILS_WEIGHT = (
    0,
    1,
    2,
    3,
    4,
    5,
)


class Stays(NamedTuple):
    """What is known of ``n`` stays: ``principal`` (n) diagnosis ids, the others and operations as lists."""

    principal: Int32s
    other_offsets: Int64s
    others: Int32s
    oprn_offsets: Int64s
    oprns: Int32s
    age_days: Int32s
    birth_weight_g: Int32s
    cost_fen: Int64s


class Codes(NamedTuple):
    """The distinct codes of the stays in terms of the catalogue's tokens.

    ``diag_tokens`` (d, w): tokens of a diagnosis, -1 fills. ``diag_excluded`` (d). ``diag_conditions`` (d,
    k): whether the code
    fulfils condition k. ``oprn_token_offsets`` (o + 1), ``oprn_tokens``: tokens that an operation
    satisfies. ``oprn_exact`` (o): the token spelled
    like the code. ``oprn_kind`` (o): 0 medical to 4 surgery. ``oprn_flag`` (o): exclusion flag;
    ``oprn_within`` (o): condition of MAIN_WITHIN.
    """

    diag_tokens: Int32s
    diag_excluded: Bools
    diag_conditions: Bools
    oprn_token_offsets: Int64s
    oprn_tokens: Int32s
    oprn_exact: Int32s
    oprn_kind: Int8s
    oprn_flag: Int8s
    oprn_within: Int32s


class Rules(NamedTuple):
    """The compiled catalogue.

    ``diag_start`` (t + 1): entries of a diagnosis token. Entries (e), sorted by token, key, major, minor:
    ``entry_key``, ``entry_major`` and ``entry_minor`` (precedence before and after the cost criterion),
    ``entry_token`` (term that the main operation serves), ``entry_clause``. Clauses (c): ``need_offsets`` (c + 1)
    and ``needs`` (operation tokens, those with extension first), ``other_condition``, ``any_condition``,
    ``age_days_max``, ``weight_min_g``, ``weight_max_g``, ``clause_group``. ``any_key_offset``: added to a token for
    rules of any operation, 0 if there are none. ``key_used``: whether an entry has the key. ``group_mean_fen``
    (groups, -1 = not known): used only if ``by_cost``. ``entry_major_left`` (e): ``entry_major`` for a stay with an
    operation of surgery that no term of the entry's row matches, never smaller; used only if ``by_surgery``.
    """

    diag_start: Int64s
    entry_key: Int32s
    entry_major: Int32s
    entry_minor: Int32s
    entry_token: Int32s
    entry_clause: Int32s
    need_offsets: Int64s
    needs: Int32s
    other_condition: Int32s
    any_condition: Int32s
    age_days_max: Int32s
    weight_min_g: Int32s
    weight_max_g: Int32s
    clause_group: Int32s
    any_key_offset: int
    key_used: Bools
    group_mean_fen: Int64s
    by_cost: bool
    highest_kind: bool
    entry_major_left: Int32s
    by_surgery: bool


# Numba counts a reference for every array it takes out of a tuple, which costs more than the matching itself. So the
# loops below take their arrays out once and hand the small functions arrays, not tuples.


@njit(nogil=True, cache=True)
def _effective(
    principal: int,
    first: int,
    last: int,
    oprns: Int32s,
    oprn_flag: Int8s,
    oprn_within: Int32s,
    diag_conditions: Bools,
    effective: Int32s,
) -> tuple[int, int]:
    count = 0
    main = -1
    for at in range(first, last):
        oprn = oprns[at]
        flag = oprn_flag[oprn]
        if flag == BLANK:
            continue
        if flag == MAIN_WITHIN:
            flag = FREE if diag_conditions[principal, oprn_within[oprn]] else AS_CONSERVATIVE
        if flag == AS_CONSERVATIVE:
            if main < 0:
                return 0, -1
            continue
        if flag == FREE and main < 0:
            main = count
        effective[count] = oprn
        count += 1
    return count, main


@njit(nogil=True, cache=True)
def effective_operations(stay: int, stays: Stays, codes: Codes, effective: Int32s) -> tuple[int, int]:
    """Fill ``effective`` with the operations that count; return their number and the position of the main one.

    The main operation is the first that may be main. If it counts as conservative the whole stay is without operation.
    """
    return _effective(
        stays.principal[stay],
        stays.oprn_offsets[stay],
        stays.oprn_offsets[stay + 1],
        stays.oprns,
        codes.oprn_flag,
        codes.oprn_within,
        codes.diag_conditions,
        effective,
    )


@njit(nogil=True, cache=True)
def kind_of_stay(effective: Int32s, count: int, main: int, oprn_kind: Int8s, highest_kind: bool) -> int:
    """Return the kind of a stay for comprehensive groups; without effective main operation it is medical (0)."""
    if main < 0:
        return 0
    kind: int = oprn_kind[effective[main]]
    if highest_kind:
        for i in range(count):
            kind = max(kind, oprn_kind[effective[i]])
    return kind


@njit(nogil=True, cache=True)
def _keys(
    effective: Int32s,
    count: int,
    main: int,
    token_offsets: Int64s,
    tokens: Int32s,
    key_used: Bools,
    any_key_offset: int,
    keys: Int32s,
) -> int:
    n = 0
    if key_used[KEY_ANY]:
        keys[n] = KEY_ANY
        n += 1
    if main < 0:
        keys[n] = KEY_CONSERVATIVE
        n += 1
    else:
        oprn = effective[main]
        for at in range(token_offsets[oprn], token_offsets[oprn + 1]):
            if key_used[tokens[at]]:
                keys[n] = tokens[at]
                n += 1
    if any_key_offset > 0:
        for i in range(count):
            oprn = effective[i]
            for at in range(token_offsets[oprn], token_offsets[oprn + 1]):
                key = tokens[at] + any_key_offset
                if key_used[key]:
                    keys[n] = key
                    n += 1
    return n


@njit(nogil=True, cache=True)
def operation_keys(effective: Int32s, count: int, main: int, codes: Codes, rules: Rules, keys: Int32s) -> int:
    """Fill ``keys`` with what a stay's operations can be looked up by and some entry has; return their number."""
    n = _keys(
        effective,
        count,
        main,
        codes.oprn_token_offsets,
        codes.oprn_tokens,
        rules.key_used,
        rules.any_key_offset,
        keys,
    )
    keys[n] = KEY_KIND + kind_of_stay(effective, count, main, codes.oprn_kind, rules.highest_kind)
    return n + 1


@njit(nogil=True, cache=True)
def _serves(oprn: int, token: int, token_offsets: Int64s, tokens: Int32s) -> bool:
    for at in range(token_offsets[oprn], token_offsets[oprn + 1]):
        if tokens[at] == token:
            return True
    return False


@njit(nogil=True, cache=True)
def _operations_accepted(
    first: int,
    last: int,
    served: int,
    needs: Int32s,
    effective: Int32s,
    count: int,
    main: int,
    token_offsets: Int64s,
    tokens: Int32s,
    exact: Int32s,
    used: Bools,
) -> bool:
    """Tell whether every term ``needs[first:last]`` has an operation of its own; ``served`` is the main one's term.

    Terms with an extension come first and take the operation spelled like them before a bare base code; terms
    without extension take what is left. That order finds an assignment whenever there is one.
    """
    for i in range(count):
        used[i] = False
    if served >= 0:
        used[main] = True
    for at in range(first, last):
        token = needs[at]
        if token == served:
            served = -1
            continue
        found = -1
        for i in range(count):
            if not used[i] and exact[effective[i]] == token:
                found = i
                break
        if found < 0:
            for i in range(count):
                if not used[i] and _serves(effective[i], token, token_offsets, tokens):
                    found = i
                    break
        if found < 0:
            return False
        used[found] = True
    return True


@njit(nogil=True, cache=True)
def leaves_surgery(
    first: int,
    last: int,
    needs: Int32s,
    effective: Int32s,
    count: int,
    token_offsets: Int64s,
    tokens: Int32s,
    oprn_kind: Int8s,
) -> bool:
    """Tell whether an effective operation of surgery satisfies none of the terms ``needs[first:last]``."""
    for i in range(count):
        oprn = effective[i]
        if oprn_kind[oprn] != SURGERY:
            continue
        matched = False
        for at in range(first, last):
            if _serves(oprn, needs[at], token_offsets, tokens):
                matched = True
                break
        if not matched:
            return True
    return False


@njit(nogil=True, cache=True)
def _one_fulfils(others: Int32s, first: int, last: int, condition: int, diag_conditions: Bools) -> bool:
    for at in range(first, last):
        if diag_conditions[others[at], condition]:
            return True
    return False


@njit(nogil=True, cache=True)
def _diagnoses_answer(
    principal: int,
    other: int,
    any_: int,
    others: Int32s,
    first: int,
    last: int,
    diag_conditions: Bools,
) -> int:
    if other >= 0 and not _one_fulfils(others, first, last, other, diag_conditions):
        return FAILS_OTHER_DIAGNOSIS
    if (
        any_ >= 0
        and not diag_conditions[principal, any_]
        and not _one_fulfils(others, first, last, any_, diag_conditions)
    ):
        return FAILS_ANY_DIAGNOSIS
    return ACCEPTED


@njit(nogil=True, cache=True)
def _newborn_answer(age_limit: int, low: int, high: int, age_days: int, weight_g: int) -> int:
    if age_limit >= 0 and (age_days < 0 or age_days > age_limit):
        return FAILS_AGE
    if (low >= 0 or high >= 0) and (weight_g < 0 or weight_g < low or (high >= 0 and weight_g > high)):
        return FAILS_WEIGHT
    return ACCEPTED


@njit(nogil=True, cache=True)
def entry_answer(
    entry: int,
    stay: int,
    stays: Stays,
    codes: Codes,
    rules: Rules,
    effective: Int32s,
    count: int,
    main: int,
    used: Bools,
) -> int:
    """Return ACCEPTED or the first condition that fails."""
    clause = rules.entry_clause[entry]
    if not _operations_accepted(
        rules.need_offsets[clause],
        rules.need_offsets[clause + 1],
        rules.entry_token[entry],
        rules.needs,
        effective,
        count,
        main,
        codes.oprn_token_offsets,
        codes.oprn_tokens,
        codes.oprn_exact,
        used,
    ):
        return FAILS_OPERATIONS
    answer = _diagnoses_answer(
        stays.principal[stay],
        rules.other_condition[clause],
        rules.any_condition[clause],
        stays.others,
        stays.other_offsets[stay],
        stays.other_offsets[stay + 1],
        codes.diag_conditions,
    )
    if answer != ACCEPTED:
        return answer
    return _newborn_answer(
        rules.age_days_max[clause],
        rules.weight_min_g[clause],
        rules.weight_max_g[clause],
        stays.age_days[stay],
        stays.birth_weight_g[stay],
    )


@njit(nogil=True, cache=True)
def first_entry(low: int, high: int, key: int, entry_key: Int32s) -> int:
    """Return the first entry in [low, high) whose key is at least ``key``."""
    while low < high:
        middle = (low + high) // 2
        if entry_key[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True)
def match_stays(
    first: int,
    last: int,
    stays: Stays,
    codes: Codes,
    rules: Rules,
    room: int,
    out_group: Int32s,
    out_reason: Int8s,
) -> None:
    """Group the stays ``first`` to ``last - 1``; ``room`` bounds keys and operations of one stay.

    Writes ``out_group`` (n, -1 = none) and ``out_reason`` (n, FOUND to NO_GROUP) at the stays' positions.
    """
    effective = np.empty(room, dtype=np.int32)
    used = np.empty(room, dtype=np.bool_)
    keys = np.empty(room, dtype=np.int32)
    principals, others, other_offsets = stays.principal, stays.others, stays.other_offsets
    oprns, oprn_offsets = stays.oprns, stays.oprn_offsets
    age_days, birth_weight_g, cost_fen = stays.age_days, stays.birth_weight_g, stays.cost_fen
    diag_tokens, diag_excluded, diag_conditions = (
        codes.diag_tokens,
        codes.diag_excluded,
        codes.diag_conditions,
    )
    token_offsets, tokens, exact = codes.oprn_token_offsets, codes.oprn_tokens, codes.oprn_exact
    oprn_kind, oprn_flag, oprn_within = codes.oprn_kind, codes.oprn_flag, codes.oprn_within
    diag_start, entry_key, entry_clause = rules.diag_start, rules.entry_key, rules.entry_clause
    entry_major, entry_minor, entry_token = rules.entry_major, rules.entry_minor, rules.entry_token
    need_offsets, needs, key_used = rules.need_offsets, rules.needs, rules.key_used
    other_condition, any_condition = rules.other_condition, rules.any_condition
    age_days_max, weight_min_g, weight_max_g = rules.age_days_max, rules.weight_min_g, rules.weight_max_g
    clause_group, group_mean_fen = rules.clause_group, rules.group_mean_fen
    entry_major_left = rules.entry_major_left
    width = diag_tokens.shape[1]
    for stay in range(first, last):
        out_group[stay] = -1
        principal = principals[stay]
        if principal < 0:
            out_reason[stay] = NO_DIAGNOSIS
            continue
        if diag_excluded[principal]:
            out_reason[stay] = EXCLUDED_DIAGNOSIS
            continue
        count, main = _effective(
            principal,
            oprn_offsets[stay],
            oprn_offsets[stay + 1],
            oprns,
            oprn_flag,
            oprn_within,
            diag_conditions,
            effective,
        )
        n_keys = _keys(effective, count, main, token_offsets, tokens, key_used, rules.any_key_offset, keys)
        keys[n_keys] = KEY_KIND + kind_of_stay(effective, count, main, oprn_kind, rules.highest_kind)
        n_keys += 1
        best = -1
        best_major = np.int32(2147483647)
        best_minor = np.int32(2147483647)
        best_distance = FARTHEST
        for k in range(width):
            diag = diag_tokens[principal, k]
            if diag < 0:
                continue
            low, high = diag_start[diag], diag_start[diag + 1]
            if low == high:
                continue
            for j in range(n_keys):
                key = keys[j]
                entry = first_entry(low, high, key, entry_key)
                while entry < high and entry_key[entry] == key:
                    major = entry_major[entry]
                    minor = entry_minor[entry]
                    if major > best_major or (
                        not rules.by_cost and major == best_major and minor >= best_minor
                    ):
                        break
                    clause = entry_clause[entry]
                    accepted = (
                        _operations_accepted(
                            need_offsets[clause],
                            need_offsets[clause + 1],
                            entry_token[entry],
                            needs,
                            effective,
                            count,
                            main,
                            token_offsets,
                            tokens,
                            exact,
                            used,
                        )
                        and _diagnoses_answer(
                            principal,
                            other_condition[clause],
                            any_condition[clause],
                            others,
                            other_offsets[stay],
                            other_offsets[stay + 1],
                            diag_conditions,
                        )
                        == ACCEPTED
                        and _newborn_answer(
                            age_days_max[clause],
                            weight_min_g[clause],
                            weight_max_g[clause],
                            age_days[stay],
                            birth_weight_g[stay],
                        )
                        == ACCEPTED
                    )
                    if accepted:
                        if (
                            rules.by_surgery
                            and key != KEY_KIND + SURGERY
                            and leaves_surgery(
                                need_offsets[clause],
                                need_offsets[clause + 1],
                                needs,
                                effective,
                                count,
                                token_offsets,
                                tokens,
                                oprn_kind,
                            )
                        ):
                            major = entry_major_left[entry]
                        group = clause_group[clause]
                        distance = np.int64(0)
                        if rules.by_cost:
                            mean = group_mean_fen[group]
                            distance = abs(cost_fen[stay] - mean) if mean >= 0 else FARTHEST
                        if (
                            major < best_major
                            or (major == best_major and distance < best_distance)
                            or (major == best_major and distance == best_distance and minor < best_minor)
                        ):
                            best, best_major, best_minor, best_distance = group, major, minor, distance
                    entry += 1
        out_group[stay] = best
        out_reason[stay] = FOUND if best >= 0 else NO_GROUP


@njit(nogil=True, cache=True)
def main_operations(
    stays: Stays, codes: Codes, highest_kind: bool, room: int, out_main: Int32s, out_kind: Int8s
) -> None:
    """Write the effective main operation (operation id, -1 = conservative) and the kind (0 to 4) of every stay.

    Shapes of ``out_main`` and ``out_kind``: (n). The kind is that of the main operation or, with
    ``highest_kind``, the highest of all.
    """
    effective = np.empty(room, dtype=np.int32)
    principals, oprns, oprn_offsets = stays.principal, stays.oprns, stays.oprn_offsets
    oprn_flag, oprn_within, oprn_kind = codes.oprn_flag, codes.oprn_within, codes.oprn_kind
    diag_conditions = codes.diag_conditions
    for stay in range(len(principals)):
        out_main[stay] = -1
        out_kind[stay] = 0
        if principals[stay] < 0:
            continue
        count, main = _effective(
            principals[stay],
            oprn_offsets[stay],
            oprn_offsets[stay + 1],
            oprns,
            oprn_flag,
            oprn_within,
            diag_conditions,
            effective,
        )
        if main >= 0:
            out_main[stay] = effective[main]
            out_kind[stay] = kind_of_stay(effective, count, main, oprn_kind, highest_kind)
