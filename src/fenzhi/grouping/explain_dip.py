"""Why a stay is in its group: the compiled rules replayed for one stay, by the functions the kernel uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s
from fenzhi.grouping.compile_dip import CompiledDip
from fenzhi.grouping.dip import REASONS, group_door
from fenzhi.grouping.door_dip import Door, open_door
from fenzhi.kernels.dip import (
    ACCEPTED,
    CANNOT_BE_MAIN,
    FAILS_AGE,
    FAILS_ANY_DIAGNOSIS,
    FAILS_OPERATIONS,
    FAILS_OTHER_DIAGNOSIS,
    FAILS_WEIGHT,
    KEY_KIND,
    SURGERY,
    effective_operations,
    entry_answer,
    leaves_surgery,
    operation_keys,
)

ANSWERS = {
    ACCEPTED: "accepted",
    FAILS_OPERATIONS: "operations",
    FAILS_OTHER_DIAGNOSIS: "other_diagnosis",
    FAILS_ANY_DIAGNOSIS: "any_diagnosis",
    FAILS_AGE: "age_days",
    FAILS_WEIGHT: "birth_weight",
}
LAYER_CELLS = (
    "main_diag",
    "treatment",
    "main_oprn",
    "related_oprn",
    "other_diag",
    "any_diag",
    "age_days_max",
)


@dataclass(frozen=True)
class Candidate:
    """A catalogue row that the stay's principal diagnosis leads to.

    ``answer``: ``accepted`` or the first condition that failed: ``operations``, ``other_diagnosis``,
    ``any_diagnosis``, ``age_days``,
    ``birth_weight``. ``rule``: the row's filled cells. ``wins``: whether it is the stay's group. ``unmatched``:
    operations of surgery that an accepting row leaves, only where the policy asks for them.
    """

    group_id: str
    name: str
    layer: str
    answer: str
    rule: dict[str, str]
    wins: bool
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupingTrace:
    """How one stay was grouped: its codes, effective operations, candidates in order of precedence, result."""

    principal: str | None
    operations: tuple[str, ...]
    effective: tuple[str, ...]
    main_operation: str | None
    cannot_be_main: tuple[str, ...]
    dropped: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    group_id: str | None
    reason: str | None


def _entries(door: Door, compiled: CompiledDip, keys: set[int]) -> list[int]:
    """Return the entries to show: all of the stay's diagnosis, and of any diagnosis those its operations reach."""
    rules = compiled.rules
    shown = []
    for token in door.codes.diag_tokens[door.stays.principal[0]]:
        if token < 0:
            continue
        for entry in range(rules.diag_start[token], rules.diag_start[token + 1]):
            if token > 0 or int(rules.entry_key[entry]) in keys:
                shown.append(entry)
    return shown


def _unmatched(entry: int, door: Door, compiled: CompiledDip, effective: Int32s) -> tuple[int, ...]:
    """Return the operations of surgery (ids) that an entry's row leaves, as the kernel looks at them."""
    rules, codes = compiled.rules, door.codes
    if not rules.by_surgery or rules.entry_key[entry] == KEY_KIND + SURGERY:
        return ()
    clause = rules.entry_clause[entry]
    low, high = rules.need_offsets[clause], rules.need_offsets[clause + 1]
    tables = (codes.oprn_token_offsets, codes.oprn_tokens, codes.oprn_kind)
    one_by_one = (effective[at : at + 1] for at in range(len(effective)))
    return tuple(int(one[0]) for one in one_by_one if leaves_surgery(low, high, rules.needs, one, 1, *tables))


def trace(stay: pl.DataFrame, compiled: CompiledDip) -> GroupingTrace:
    """Explain the grouping of one stay (a frame of one row, as :func:`fenzhi.grouping.group_dip` takes it)."""
    door = open_door(stay, compiled)
    group, reason = group_door(door, compiled, 1)
    operations = tuple(door.operations.gather(pl.Series(door.stays.oprns)).drop_nulls())
    principal = int(door.stays.principal[0])
    won = int(group[0])
    groups = compiled.catalog.groups
    if principal < 0 or door.codes.diag_excluded[principal]:
        text = None if principal < 0 else door.diagnoses[principal]
        return GroupingTrace(text, operations, (), None, (), (), (), None, REASONS[int(reason[0])])
    effective = np.empty(door.room, dtype=np.int32)
    used = np.empty(door.room, dtype=np.bool_)
    keys = np.empty(door.room, dtype=np.int32)
    count, main = effective_operations(0, door.stays, door.codes, effective)
    n_keys = operation_keys(effective, count, main, door.codes, compiled.rules, keys)
    own_keys = {int(key) for key in keys[:n_keys]}
    candidates: dict[int, Candidate] = {}
    rules = compiled.rules
    shown = _entries(door, compiled, own_keys)
    left = {entry: _unmatched(entry, door, compiled, effective[:count]) for entry in shown}

    def place(entry: int) -> tuple[int, int]:
        major = rules.entry_major_left if left[entry] else rules.entry_major
        return major[entry], rules.entry_minor[entry]

    for entry in sorted(shown, key=place):
        number = int(rules.clause_group[rules.entry_clause[entry]])
        answer = FAILS_OPERATIONS
        if int(rules.entry_key[entry]) in own_keys:
            answer = entry_answer(entry, 0, door.stays, door.codes, rules, effective, count, main, used)
        if number in candidates and (candidates[number].answer == "accepted" or answer != ACCEPTED):
            continue
        row = groups.row(number, named=True)
        cells = {name: str(row[name]) for name in LAYER_CELLS if row[name] is not None}
        low, high = row["birth_weight_min_g"], row["birth_weight_max_g"]
        if low is not None or high is not None:
            cells["birth_weight_g"] = f"{'' if low is None else low}-{'' if high is None else high}"
        unmatched = tuple(door.operations[oprn] for oprn in left[entry]) if answer == ACCEPTED else ()
        named = (row["group_id"], row["name"], row["layer"])
        candidates[number] = Candidate(*named, ANSWERS[answer], cells, number == won, unmatched)
    kept = tuple(door.operations[int(oprn)] for oprn in effective[:count])
    flags = {door.operations[int(o)]: int(door.codes.oprn_flag[int(o)]) for o in door.stays.oprns}
    return GroupingTrace(
        principal=door.diagnoses[principal],
        operations=operations,
        effective=kept,
        main_operation=kept[main] if main >= 0 else None,
        cannot_be_main=tuple(code for code, flag in flags.items() if flag == CANNOT_BE_MAIN),
        dropped=tuple(code for code in operations if code not in kept),
        candidates=tuple(candidates.values()),
        group_id=groups["group_id"][won] if won >= 0 else None,
        reason=REASONS[int(reason[0])] or None,
    )
