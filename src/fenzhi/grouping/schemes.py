"""One door for both schemes: compile a catalogue, group a frame of stays."""

from __future__ import annotations

from typing import TypeAlias, overload

import polars as pl

from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.models import DipCatalog
from fenzhi.grouping.compile_dip import CompiledDip, compile_dip
from fenzhi.grouping.compile_drg import CompiledDrg, compile_drg
from fenzhi.grouping.dip import Grouped, group_dip
from fenzhi.grouping.drg import group_drg
from fenzhi.grouping.explain_dip import GroupingTrace, trace
from fenzhi.grouping.explain_drg import DrgTrace, trace_drg
from fenzhi.policy.models import Grouping

Compiled: TypeAlias = CompiledDip | CompiledDrg
Trace: TypeAlias = GroupingTrace | DrgTrace


@overload
def compile_catalog(
    catalog: DipCatalog, policy: Grouping, weights: pl.DataFrame | None = None
) -> CompiledDip: ...
@overload
def compile_catalog(
    catalog: DrgCatalog, policy: Grouping, weights: pl.DataFrame | None = None
) -> CompiledDrg: ...
def compile_catalog(
    catalog: DipCatalog | DrgCatalog, policy: Grouping, weights: pl.DataFrame | None = None
) -> Compiled:
    """Compile a catalogue for grouping.

    ``policy`` and ``weights`` decide between DIP groups that all accept a stay (see
    :func:`fenzhi.grouping.compile_dip.compile_dip`); a DRG catalogue has one order of its own and needs neither.
    """
    if isinstance(catalog, DrgCatalog):
        return compile_drg(catalog)
    return compile_dip(catalog, policy, weights)


def group_frame(stays: pl.DataFrame, compiled: Compiled, *, threads: int | None = None) -> Grouped:
    """Group stays by DIP or DRG, as the catalogue says; see docs/rules.md, section 2."""
    if isinstance(compiled, CompiledDrg):
        return group_drg(stays, compiled, threads=threads)
    return group_dip(stays, compiled, threads=threads)


def trace_stay(stay: pl.DataFrame, compiled: Compiled) -> Trace:
    """Explain the grouping of one stay (a frame of one row) by the rules it is grouped with."""
    return trace_drg(stay, compiled) if isinstance(compiled, CompiledDrg) else trace(stay, compiled)
