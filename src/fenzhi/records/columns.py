"""From the names of a table to the columns of a stay: renaming, lists of several columns, constants."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records.mapping import CHILD_COLUMNS, ColumnMap
from fenzhi.records.schema import BY_NAME, SYNONYMS, nearest

_WIDE = re.compile(r"^(wm_dise_code|oprn_oprt_code)(?:_(\d+))?$")
AGE_VALUE, AGE_UNIT = "__age_value", "__age_unit"


@dataclass(frozen=True)
class Plan:
    """How one table is read: ``exprs`` give the standard names out of the columns ``needed``."""

    exprs: tuple[pl.Expr, ...]
    names: tuple[str, ...]
    needed: tuple[str, ...]
    ignored: tuple[str, ...]
    sources: dict[str, tuple[str, ...]]


def wide_columns(names: Iterable[str], stem: str) -> list[str]:
    """Return ``stem``, ``stem_1`` ... ``stem_n`` as far as present, in the order of their numbers."""
    found = [(int(m[2] or 0), name) for name in names if (m := _WIDE.match(name)) and m[1] == stem]
    return [name for _, name in sorted(found)]


def _standard(name: str) -> str | None:
    lower = name.strip().lower()
    lower = SYNONYMS.get(lower, lower)
    if lower in BY_NAME or _WIDE.match(lower) or any(lower in names for names in CHILD_COLUMNS.values()):
        return lower
    base = lower.removesuffix("_fen")
    return lower if base != lower and base in BY_NAME and BY_NAME[base].kind == "money" else None


def check_names(names: Iterable[str], file: str) -> None:
    """Raise RECORDS_COLUMN_TWICE if two columns of a table have the same name."""
    seen: set[str] = set()
    for name in names:
        if name and name in seen:
            raise InputError(
                "two columns have the same name",
                code="RECORDS_COLUMN_TWICE",
                file=file,
                field=name,
                remedy="rename or remove one of them",
            )
        seen.add(name)


def check_sources(cmap: ColumnMap, names: Collection[str], file: str) -> None:
    """Raise MAPPING_SOURCE_MISSING if the mapping names a column that the source does not have."""
    for name in sorted(cmap.source_names() - set(names)):
        near = nearest(name, names)
        raise InputError(
            "the mapping file names a column that the source does not have"
            + (f"; nearest is {near!r}" if near else ""),
            code="MAPPING_SOURCE_MISSING",
            file=file,
            field=name,
            remedy="correct the name in the mapping file",
        )


def plan_columns(names: tuple[str, ...], cmap: ColumnMap, want: Collection[str], file: str) -> Plan:
    """Choose what to read from a table with the columns ``names``.

    ``want``: standard names to read (``wm_dise_code`` and ``oprn_oprt_code`` stand for their numbered ones).
    The mapping goes before names that are standard already; an exact name goes before a synonym. The parts of
    a sum become ``__sum|name|i``, an age with a unit ``__age_value`` and ``__age_unit``.
    """
    check_names(names, file)
    have = set(names)
    sources: dict[str, tuple[str, ...]] = {}
    exprs: dict[str, pl.Expr] = {}
    used: set[str] = set()
    for name, given in cmap.columns.items():
        parts = (given,) if isinstance(given, str) else given
        if not set(parts) <= have:
            continue
        used.update(parts)
        sources[name] = parts
        exprs[name] = (
            pl.col(given)
            if isinstance(given, str)
            else pl.concat_list([pl.col(p).cast(pl.String) for p in parts])
        )
    for name, parts in cmap.sums.items():
        used.update(have & set(parts))
        for i, part in enumerate(p for p in parts if p in have):
            sources[f"__sum|{name}|{i}"] = (part,)
            exprs[f"__sum|{name}|{i}"] = pl.col(part)
    if cmap.age is not None and {cmap.age.value, cmap.age.unit} <= have:
        used.update((cmap.age.value, cmap.age.unit))
        for name, source in ((AGE_VALUE, cmap.age.value), (AGE_UNIT, cmap.age.unit)):
            sources[name] = (source,)
            exprs[name] = pl.col(source)
    settled = set(exprs) | set(cmap.constants) | set(cmap.sums) | ({"age", "nwb_age"} if cmap.age else set())
    ignored: list[str] = []
    # Exact names first, so that a synonym beside them is the one left out.
    for source in sorted((n for n in names if n), key=lambda n: _standard(n) != n):
        standard = _standard(source)
        if standard is None or standard in settled:
            if source not in used:
                ignored.append(source)
            continue
        settled.add(standard)
        sources[standard] = (source,)
        exprs[standard] = pl.col(source)
    for name, text in cmap.constants.items():
        sources[name] = ()
        exprs[name] = pl.lit(text)
    chosen = [name for name in exprs if _wanted(name, want)]
    needed = dict.fromkeys(source for name in chosen for source in sources[name])
    order = {name: i for i, name in enumerate(names)}
    return Plan(
        tuple(exprs[name].alias(name) for name in chosen),
        tuple(chosen),
        tuple(needed),
        tuple(sorted(ignored, key=order.__getitem__)),
        {name: sources[name] for name in chosen},
    )


def _wanted(name: str, want: Collection[str]) -> bool:
    if name.startswith("__sum|"):
        return name.split("|")[1] in want
    if name in (AGE_VALUE, AGE_UNIT):
        return "age" in want
    wide = _WIDE.match(name)
    return name in want or name.removesuffix("_fen") in want or bool(wide and wide[1] in want)
