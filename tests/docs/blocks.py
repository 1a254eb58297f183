"""Fenced blocks of a Markdown page, with what their first line says about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block: language, options such as ``file=...`` or ``exit=2``, content, line of the fence."""

    language: str
    options: dict[str, str]
    content: str
    line: int


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        words = match[1].split()
        options = dict(word.split("=", 1) for word in words[1:])
        found.append(
            Block(words[0] if words else "", options, match[2], text.count("\n", 0, match.start()) + 1)
        )
    return found


def prose(page: Path) -> str:
    """Return the page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
