"""Grouping: compiled rules, the doors from text to numbers, DIP and DRG groups, explanations."""

from fenzhi.grouping.compile_dip import CompiledDip
from fenzhi.grouping.compile_drg import CompiledDrg
from fenzhi.grouping.dip import Grouped, group_dip
from fenzhi.grouping.drg import group_drg
from fenzhi.grouping.schemes import Compiled, Trace, compile_catalog, group_frame, trace_stay

__all__ = [
    "Compiled",
    "CompiledDip",
    "CompiledDrg",
    "Grouped",
    "Trace",
    "compile_catalog",
    "group_dip",
    "group_drg",
    "group_frame",
    "trace_stay",
]
