"""Titles of sheets and columns, compared without width, blanks and case; numbers as they were typed."""

from __future__ import annotations

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}


def half_width(text: str) -> str:
    """Return text with full-width letters, digits, signs and blanks as plain ones; Chinese stays as it is."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def same_title(title: str) -> str:
    """Return a name of a sheet or column without blanks, line breaks, width, case, ``_`` and ``-``."""
    return "".join(half_width(title).split()).replace("_", "").replace("-", "").lower()


def shortest_number(number: str) -> str:
    """Return a number as it was typed: Excel keeps 0.99 as 0.98999999999999999."""
    try:
        return repr(float(number)).removesuffix(".0")
    except ValueError:  # a date
        return number
