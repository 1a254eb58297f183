"""Cells that say a condition in words: age in days, birth weight, degree and area of burns, yes or no."""

from __future__ import annotations

import re
import unicodedata

from fenzhi.catalogs.dip.codes import CellError
from fenzhi.catalogs.dip.vocabulary import NO, YES
from fenzhi.catalogs.titles import shortest_number

_UP_TO = re.compile(r"(?:<=|≤|不超过|不大于|至多)(\d+)|0?(\d+)(?:及以下|以下|以内|之内|内)")
_BELOW = re.compile(r"(?:<|小于|不足|未满|低于)(\d+)")
_FROM = re.compile(r"(?:>=|≥|不小于|不低于|至少)(\d+)|(\d+)(?:及以上|以上)")
_ABOVE = re.compile(r"(?:>|大于|超过)(\d+)")
_SPAN = re.compile(r"(\d+)(?:-|至|到)(\d+)")
_BETWEEN = re.compile(r"(\d+)(<=|≤|<)[^\d<>=≤≥]*(<=|≤|<)(\d+)")
_KILOGRAMS = re.compile(r"(\d+(?:\.\d+)?)(?=[^\d]*(?:kg|千克|公斤))")
_DEGREES = {
    "一": 1,
    "二": 2,
    "三": 3,
    "1": 1,
    "2": 2,
    "3": 3,
    "I": 1,
    "II": 2,
    "III": 3,
    "ⅰ": 1,
    "ⅱ": 2,
    "ⅲ": 3,
}
_DEGREE = re.compile(r"(III|II|I|[一二三123])(?=度|[、,/或和及])")
_PERCENT = re.compile(r"[%％]")


_SIGNS = str.maketrans("—–−―‐~〜≦≧", "-------≤≥")


def tidy(text: str) -> str:
    """Return a cell of words without blanks, in plain signs."""
    plain = unicodedata.normalize("NFKC", text)
    plain = plain.translate(_SIGNS)
    return "".join(plain.split())


def flag(text: str) -> bool:
    """Return yes or no; :class:`CellError` for anything else."""
    word = tidy(text).lower()
    if word in YES:
        return True
    if word in NO or word in ("", "-", "/"):
        return False
    raise CellError("not_yes_no", text)


def _whole(text: str) -> int:
    number = shortest_number(text)
    if not number.isdecimal():
        raise CellError("not_whole", text)
    return int(number)


def whole(text: str) -> int:
    """Return a whole number that is not negative."""
    return _whole(tidy(text))


def days_max(text: str) -> int:
    """Return the highest age in completed days that a cell such as ``<29天``, ``≤28天`` or ``0-28天`` lets in."""
    cell = re.sub(r"天龄|日龄|年龄|出生后?|新生儿期?|天|日|[()]", "", tidy(text))
    if re.search(r"[月岁年周]", cell):
        raise CellError("age_days", text)
    if cell.replace(".", "").isdecimal():
        return _whole(cell)
    found = _SPAN.fullmatch(cell)
    if found and int(found[1]) <= 1:
        return int(found[2])
    found = _BETWEEN.fullmatch(cell)
    if found and int(found[1]) == 0:
        return int(found[4]) - (found[3] == "<")
    found = _UP_TO.fullmatch(cell)
    if found:
        return int(found[1] or found[2])
    found = _BELOW.fullmatch(cell)
    if found and int(found[1]) > 0:
        return int(found[1]) - 1
    raise CellError("age_days", text)


def weight_band(text: str) -> tuple[int | None, int | None]:
    """Return the least and the highest birth weight in grams, both included, that a cell lets in."""
    cell = tidy(text)
    if re.search(r"kg|千克|公斤", cell, re.IGNORECASE):
        cell = re.sub(
            r"\d+(?:\.\d+)?", lambda part: shortest_number(str(round(float(part[0]) * 1000, 3))), cell
        )
        cell = re.sub(r"kg|千克|公斤", "", cell, flags=re.IGNORECASE)
    cell = re.sub(r"新生儿|出生|体重|为|在|克|g|,|、|且|并|和|之间", "", cell, flags=re.IGNORECASE)
    found = _BETWEEN.fullmatch(cell)
    if found:
        return int(found[1]) + (found[2] == "<"), int(found[4]) - (found[3] == "<")
    found = _SPAN.fullmatch(cell)
    if found:
        return int(found[1]), int(found[2])
    low: int | None = None
    high: int | None = None
    rest = cell
    for pattern, shift, upper in (
        (_UP_TO, 0, True),
        (_FROM, 0, False),
        (_BELOW, -1, True),
        (_ABOVE, 1, False),
    ):
        found = pattern.search(rest)
        if found:
            value = int(next(part for part in found.groups() if part is not None)) + shift
            high, low = (value, low) if upper else (high, value)
            rest = rest[: found.start()] + rest[found.end() :]
    if rest or (low is None and high is None):
        raise CellError("birth_weight", text)
    return low, high


def say_weight(low: int | None, high: int | None) -> str:
    """Return a band of birth weights as :func:`weight_band` reads it."""
    if low is None:
        return f"≤{high}克"
    return f"≥{low}克" if high is None else f"{low}-{high}克"


def degrees(text: str) -> tuple[int, ...]:
    """Return the degrees of burns that a cell such as ``二度`` or ``Ⅲ度`` names."""
    found = sorted({_DEGREES[part] for part in _DEGREE.findall(tidy(text))})
    if not found:
        raise CellError("burn_degree", text)
    return tuple(found)


def area_digits(text: str) -> tuple[int, ...]:
    """Return the fourth characters of T31 and T32 that an area of the body stands for: ``10%-29%`` is 1 and 2."""
    cell = _PERCENT.sub("", re.sub(r"体表|总|烧伤|腐蚀伤|面积|TBSA|占|为", "", tidy(text)))
    found = _SPAN.fullmatch(cell)
    if found:
        low, high = int(found[1]), int(found[2])
        if low % 10 == 0 and high % 10 in (0, 9) and low < high <= 100:
            return tuple(range(low // 10, min((high - (high % 10 == 0)) // 10, 9) + 1))
        raise CellError("burn_area", text)
    found = _BELOW.fullmatch(cell) or re.fullmatch(r"(\d+)(?:以下|以内)", cell)
    if found and int(found[1]) % 10 == 0 and int(found[1]):
        return tuple(range(int(found[1]) // 10))
    found = _FROM.fullmatch(cell)
    if found:
        low = int(found[1] or found[2])
        if low % 10 == 0 and low <= 90:
            return tuple(range(low // 10, 10))
    raise CellError("burn_area", text)
