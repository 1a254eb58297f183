"""Codes and cells of a catalogue, read as the rules say (docs/rules.md, 2.3 and 2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

# How closely a diagnosis token names a diagnosis: full code > 4 characters > 3 > range > any.
ANY, RANGE, THREE, FOUR, FULL = range(5)
NO_MATCH = -1


@dataclass
class TwinCatalog:
    """A catalogue as plain rows: groups, exclusions, operations as in the files; empty cells None."""

    groups: list[Row]
    layers: list[str]
    exclusions: list[Row] = field(default_factory=list)
    operations: dict[str, str] = field(default_factory=dict)
    code_sets: dict[str, list[str]] = field(default_factory=dict)
    form: str = "or_of_ands"
    or_: str = "|"
    and_: str = "+"
    tcm: list[Row] = field(default_factory=list)
    tcm_operations: list[tuple[str, str]] = field(default_factory=list)
    tcm_lists: dict[str, list[str]] = field(default_factory=dict)

    def and_sets(self, cell: str | None) -> list[tuple[str, ...]]:
        """The OR of AND-sets a cell stands for."""
        if not cell:
            return []
        if self.form == "all":
            return [tuple(cell.split(self.and_))]
        if self.form == "or_of_ands":
            return [tuple(part.split(self.and_)) for part in cell.split(self.or_)]
        found: list[tuple[str, ...]] = [()]
        for factor in cell.split(self.and_):
            found = [(*begun, token) for begun in found for token in factor.split(self.or_)]
        return found

    def tokens(self, cell: str | None) -> list[str]:
        """The diagnosis tokens of a cell, named sets replaced by their entries."""
        found: list[str] = []
        for token in cell.split(self.or_) if cell else []:
            found.extend(self.code_sets[token[1:]] if token.startswith("@") else [token])
        return found


def extension(code: str) -> tuple[str, str]:
    """Base and extension of an operation code: 99.2800x005 -> 99.2800, x005; a filler x is no extension."""
    at = code.rfind("x")
    if at >= 6 and len(code) - at >= 4 and code[at + 1 :].isdigit():
        return code[:at], code[at:]
    return code, ""


def operation_matches(token: str, code: str) -> bool:
    """With extension: the same or the bare base. Without: the base and any extension."""
    base, ending = extension(token)
    if ending:
        return code in (token, base)
    return extension(code)[0] == base


def diagnosis_match(token: str, code: str) -> int:
    """How a token (no set) matches a code: FULL, FOUR, THREE, RANGE or NO_MATCH."""
    if re.fullmatch(r"[A-Z]\d\d-[A-Z]\d\d", token):
        return RANGE if token[:3] <= code[:3] <= token[4:] else NO_MATCH
    if len(token) == 3:
        return THREE if code[:3] == token else NO_MATCH
    if len(token) == 5 and token[3] == ".":
        return FOUR if code[:5] == token else NO_MATCH
    return FULL if code == token else NO_MATCH


def best_match(tokens: list[str], code: str) -> int:
    """The closest match of any token of a cell; an empty cell takes any code."""
    return max((diagnosis_match(token, code) for token in tokens), default=ANY)
