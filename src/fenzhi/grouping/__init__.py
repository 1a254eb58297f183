"""Grouping: compiled rules, the door from text to numbers, DIP groups, explanations."""

from fenzhi.grouping.compile import CompiledDip, compile_catalog
from fenzhi.grouping.dip import Grouped, group_dip

__all__ = ["CompiledDip", "Grouped", "compile_catalog", "group_dip"]
