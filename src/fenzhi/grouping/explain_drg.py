"""Why a stay is in its DRG: the way the kernel walked through the catalogue's steps, in words and with the codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.catalogs.drg.rules import Term
from fenzhi.grouping.compile_drg import CompiledDrg, Step
from fenzhi.grouping.door_drg import DrgDoor, open_drg_door
from fenzhi.grouping.drg import REASONS, result_codes, result_rows
from fenzhi.kernels import drg as kernel

LINES = 4096


@dataclass(frozen=True)
class Looked:
    """One chapter, ADRG or DRG that was looked at.

    ``level``: ``mdc``, ``adrg``, ``drg``, ``qy`` (ambiguous stays), ``return`` (the ADRG itself, where none of its DRGs
    fits). ``terms``: its conditions. ``failed``: the one that did not hold, None if all held. ``alone``: the position
    of the operation that was tried alone (from 1), None if all count.
    """

    level: str
    code: str
    alt: int
    name: str
    terms: tuple[Term, ...]
    failed: Term | None
    alone: int | None


@dataclass(frozen=True)
class Complication:
    """A further diagnosis that is listed as CC or MCC, and the exclusion table that cancels it, if one does."""

    code: str
    level: str
    excluded_by: str | None


@dataclass(frozen=True)
class DrgTrace:
    """How one stay was grouped: its codes, what was looked at in order, CC and MCC, the result.

    ``closed``: chapters that were passed over because their lists do not have the principal diagnosis.
    """

    principal: str | None
    diagnoses: tuple[str, ...]
    operations: tuple[str, ...]
    looked: tuple[Looked, ...]
    closed: tuple[str, ...]
    complications: tuple[Complication, ...]
    status: str
    reason: str | None
    mdc: str
    adrg: str
    drg: str
    group_id: str | None

    def final(self) -> str:
        """Return the last line: status and result."""
        why = f" ({self.reason})" if self.reason else ""
        return f"{self.status}{why}: {self.mdc} > {self.adrg} > {self.drg}"


Key = tuple[str, str, int]


def _words(compiled: CompiledDrg) -> dict[Key, tuple[str, tuple[Term, ...]]]:
    """Return name and terms of everything that can be looked at."""
    tables = compiled.catalog.tables
    names: dict[tuple[str, str], str] = {}
    for level in ("mdc", "adrg", "drg"):
        for code, name in tables[level].select(level, "name").iter_rows():
            names.setdefault((level, code), name or "")
    rules: dict[Key, list[Term]] = {}
    for step in compiled.steps:
        own = rules.setdefault((step.level, step.code, step.alt), [])
        if step.term is not None:
            own.append(step.term)
    named = {"qy": "mdc", "return": "adrg"}
    return {
        key: (names.get((named.get(key[0], key[0]), key[1]), ""), tuple(own)) for key, own in rules.items()
    }


def _looked(
    way: np.ndarray, steps: tuple[Step, ...], words: dict[Key, tuple[str, tuple[Term, ...]]]
) -> tuple[Looked, ...]:
    """Join the steps walked to one entry per chapter, ADRG and DRG looked at."""
    found: list[Looked] = []
    last: tuple[str, str, int, int] | None = None
    for at, held, alone in way:
        step = steps[at]
        if step.level == "end":
            last = None
            continue
        key = (step.level, step.code, step.alt, int(alone))
        failed = None if held else step.term
        entry = Looked(
            step.level,
            step.code,
            step.alt,
            *words[step.level, step.code, step.alt],
            failed,
            None if alone < 0 else int(alone) + 1,
        )
        if key == last:
            found[-1] = entry
        else:
            found.append(entry)
        last = key
    return tuple(found)


def _complications(row: int, door: DrgDoor, compiled: CompiledDrg) -> tuple[Complication, ...]:
    stays, codes = door.stays, door.codes
    own = stays.dx[stays.dx_start[row] : stays.dx_start[row + 1]]
    out = []
    for code in own[1:]:
        level = int(codes.dx_level[code]) if code >= 0 else 0
        if not level:
            continue
        table = int(codes.dx_excluded_by[code])
        cancelled = table >= 0 and bool(kernel.is_in(codes.dx_bits, own[0], table))
        out.append(
            Complication(
                door.diagnoses[int(code)],
                "MCC" if level & kernel.HAS_MCC else "CC",
                compiled.exclusion_tables[table] if cancelled else None,
            )
        )
    return tuple(out)


def trace_drgs(stays: pl.DataFrame, compiled: CompiledDrg) -> list[DrgTrace]:
    """Explain the grouping of each stay of a frame, as :func:`fenzhi.grouping.drg.group_drg` takes it."""
    door = open_drg_door(stays, compiled)
    words, codes = _words(compiled), result_codes(compiled)
    n = stays.height
    group, chapter = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    reason = np.empty(n, dtype=np.int8)
    way = np.empty((LINES, 3), dtype=np.int32)
    out = []
    for row in range(n):
        while True:
            way[0, 0] = 0
            kernel.group_stays(
                row, row + 1, door.stays, door.codes, compiled.rules, group, chapter, reason, way
            )
            if way[0, 0] < len(way):
                break
            way = np.empty((2 * len(way), 3), dtype=np.int32)
        one = slice(row, row + 1)
        why, status, _ = REASONS[reason[row]]
        mdc, adrg, drg = codes.row(int(result_rows(group[one], chapter[one], reason[one], compiled)[0]))
        dx = door.stays.dx[door.stays.dx_start[row] : door.stays.dx_start[row + 1]]
        op = door.stays.op[door.stays.op_start[row] : door.stays.op_start[row + 1]]
        looked = _looked(way[1 : way[0, 0] + 1], compiled.steps, words)
        seen = {one.code for one in looked if one.level == "mdc"}
        last = max((compiled.chapters.index(mdc) for mdc in seen), default=-1)
        out.append(
            DrgTrace(
                principal=door.diagnoses[int(dx[0])] if len(dx) and dx[0] >= 0 else None,
                diagnoses=tuple(door.diagnoses[int(code)] for code in dx[1:] if code >= 0),
                operations=tuple(
                    door.operations[int(code)] for code in op if len(op) > 1 or code != door.stays.blank
                ),
                looked=looked,
                closed=tuple(mdc for mdc in compiled.chapters[: last + 1] if mdc not in seen),
                complications=_complications(row, door, compiled),
                status=status,
                reason=why,
                mdc=mdc,
                adrg=adrg,
                drg=drg,
                group_id=drg if group[row] >= 0 else None,
            )
        )
    return out


def trace_drg(stay: pl.DataFrame, compiled: CompiledDrg) -> DrgTrace:
    """Explain the grouping of one stay (a frame of one row)."""
    return trace_drgs(stay, compiled)[0]
