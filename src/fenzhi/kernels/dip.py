"""DIP matching: dense ids in, group indices out. Rules have become sorted tables; no text, no policy.

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
    ``entry_key``, ``entry_major`` and
    ``entry_minor`` (precedence before and after the cost criterion), ``entry_token`` (term that the main
    operation serves), ``entry_clause``.
    Clauses (c): ``need_offsets`` (c + 1) and ``needs`` (operation tokens, those with extension first),
    ``other_condition``, ``any_condition``,
    ``age_days_max``, ``weight_min_g``, ``weight_max_g``, ``clause_group``. ``any_key_offset``: added to a
    token for rules of any operation.
    ``group_mean_fen`` (groups, -1 = not known): used only if ``by_cost``.
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
    group_mean_fen: Int64s
    by_cost: bool
    highest_kind: bool


@njit(nogil=True, cache=True)
def effective_operations(stay: int, stays: Stays, codes: Codes, effective: Int32s) -> tuple[int, int]:
    """Fill ``effective`` with the operations that count; return their number and the position of the main one.

    The main operation is the first that may be main. If it counts as conservative the whole stay is without operation.
    """
    count = 0
    main = -1
    principal = stays.principal[stay]
    for at in range(stays.oprn_offsets[stay], stays.oprn_offsets[stay + 1]):
        oprn = stays.oprns[at]
        flag = codes.oprn_flag[oprn]
        if flag == BLANK:
            continue
        if flag == MAIN_WITHIN:
            inside = codes.diag_conditions[principal, codes.oprn_within[oprn]]
            flag = FREE if inside else AS_CONSERVATIVE
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
def kind_of_stay(effective: Int32s, count: int, main: int, codes: Codes, highest_kind: bool) -> int:
    """Return the kind of a stay for comprehensive groups; without effective main operation it is medical (0)."""
    if main < 0:
        return 0
    kind: int = codes.oprn_kind[effective[main]]
    if highest_kind:
        for i in range(count):
            kind = max(kind, codes.oprn_kind[effective[i]])
    return kind


@njit(nogil=True, cache=True)
def operation_keys(effective: Int32s, count: int, main: int, codes: Codes, rules: Rules, keys: Int32s) -> int:
    """Fill ``keys`` with everything a stay's operations can be looked up by; return how many there are."""
    n = 0
    keys[n] = KEY_ANY
    n += 1
    if main < 0:
        keys[n] = KEY_CONSERVATIVE
        n += 1
    else:
        oprn = effective[main]
        for at in range(codes.oprn_token_offsets[oprn], codes.oprn_token_offsets[oprn + 1]):
            keys[n] = codes.oprn_tokens[at]
            n += 1
    for i in range(count):
        oprn = effective[i]
        for at in range(codes.oprn_token_offsets[oprn], codes.oprn_token_offsets[oprn + 1]):
            keys[n] = codes.oprn_tokens[at] + rules.any_key_offset
            n += 1
    keys[n] = KEY_KIND + kind_of_stay(effective, count, main, codes, rules.highest_kind)
    return n + 1


@njit(nogil=True, cache=True)
def _serves(oprn: int, token: int, codes: Codes) -> bool:
    for at in range(codes.oprn_token_offsets[oprn], codes.oprn_token_offsets[oprn + 1]):
        if codes.oprn_tokens[at] == token:
            return True
    return False


@njit(nogil=True, cache=True)
def operations_accepted(
    entry: int, effective: Int32s, count: int, main: int, codes: Codes, rules: Rules, used: Bools
) -> bool:
    """Tell whether every term of the entry's clause has an operation of its own.

    Terms with an extension come first and take the operation spelled like them before a bare base code;
    terms without extension
    take what is left. That order finds an assignment whenever there is one.
    """
    clause = rules.entry_clause[entry]
    start, stop = rules.need_offsets[clause], rules.need_offsets[clause + 1]
    if start == stop:
        return True
    for i in range(count):
        used[i] = False
    served = rules.entry_token[entry]
    if served >= 0:
        used[main] = True
    for at in range(start, stop):
        token = rules.needs[at]
        if token == served:
            served = -1
            continue
        found = -1
        for i in range(count):
            if not used[i] and codes.oprn_exact[effective[i]] == token:
                found = i
                break
        if found < 0:
            for i in range(count):
                if not used[i] and _serves(effective[i], token, codes):
                    found = i
                    break
        if found < 0:
            return False
        used[found] = True
    return True


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
    if not operations_accepted(entry, effective, count, main, codes, rules, used):
        return FAILS_OPERATIONS
    condition = rules.other_condition[clause]
    if condition >= 0:
        found = False
        for at in range(stays.other_offsets[stay], stays.other_offsets[stay + 1]):
            if codes.diag_conditions[stays.others[at], condition]:
                found = True
                break
        if not found:
            return FAILS_OTHER_DIAGNOSIS
    condition = rules.any_condition[clause]
    if condition >= 0:
        found = codes.diag_conditions[stays.principal[stay], condition]
        for at in range(stays.other_offsets[stay], stays.other_offsets[stay + 1]):
            if found:
                break
            found = codes.diag_conditions[stays.others[at], condition]
        if not found:
            return FAILS_ANY_DIAGNOSIS
    limit = rules.age_days_max[clause]
    age = stays.age_days[stay]
    if limit >= 0 and (age < 0 or age > limit):
        return FAILS_AGE
    low, high = rules.weight_min_g[clause], rules.weight_max_g[clause]
    if low >= 0 or high >= 0:
        weight = stays.birth_weight_g[stay]
        if weight < 0 or weight < low or (high >= 0 and weight > high):
            return FAILS_WEIGHT
    return ACCEPTED


@njit(nogil=True, cache=True)
def first_entry(low: int, high: int, key: int, rules: Rules) -> int:
    """Return the first entry in [low, high) whose key is at least ``key``."""
    while low < high:
        middle = (low + high) // 2
        if rules.entry_key[middle] < key:
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
    width = codes.diag_tokens.shape[1]
    for stay in range(first, last):
        out_group[stay] = -1
        principal = stays.principal[stay]
        if principal < 0:
            out_reason[stay] = NO_DIAGNOSIS
            continue
        if codes.diag_excluded[principal]:
            out_reason[stay] = EXCLUDED_DIAGNOSIS
            continue
        count, main = effective_operations(stay, stays, codes, effective)
        n_keys = operation_keys(effective, count, main, codes, rules, keys)
        best = -1
        best_major = np.int32(2147483647)
        best_minor = np.int32(2147483647)
        best_distance = FARTHEST
        for k in range(width):
            token = codes.diag_tokens[principal, k]
            if token < 0:
                continue
            low, high = rules.diag_start[token], rules.diag_start[token + 1]
            if low == high:
                continue
            for j in range(n_keys):
                key = keys[j]
                entry = first_entry(low, high, key, rules)
                while entry < high and rules.entry_key[entry] == key:
                    major = rules.entry_major[entry]
                    minor = rules.entry_minor[entry]
                    if major > best_major or (
                        not rules.by_cost and major == best_major and minor >= best_minor
                    ):
                        break
                    if (
                        entry_answer(entry, stay, stays, codes, rules, effective, count, main, used)
                        == ACCEPTED
                    ):
                        group = rules.clause_group[rules.entry_clause[entry]]
                        distance = np.int64(0)
                        if rules.by_cost:
                            mean = rules.group_mean_fen[group]
                            distance = abs(stays.cost_fen[stay] - mean) if mean >= 0 else FARTHEST
                        if (
                            major < best_major
                            or distance < best_distance
                            or (distance == best_distance and minor < best_minor)
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
    for stay in range(len(stays.principal)):
        out_main[stay] = -1
        out_kind[stay] = 0
        if stays.principal[stay] < 0:
            continue
        count, main = effective_operations(stay, stays, codes, effective)
        if main >= 0:
            out_main[stay] = effective[main]
            out_kind[stay] = kind_of_stay(effective, count, main, codes, highest_kind)
