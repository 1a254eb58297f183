"""The texts of departments: both languages say the same, none is left over, none is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fenzhi
from fenzhi.reports.department_texts import TEXTS
from unit.reports.test_texts import _fields

ROOM = Path(fenzhi.__file__).parent
SOURCES = "\n".join((ROOM / name).read_text() for name in ("reports/departments.py", "cli/departments.py"))
# Keys that are made from names of tables, columns, or values.
MADE = re.compile(r"(head|sheet)\..+|.+_note|history|set|above_quota|below|footer|kicker|departments|doctors")


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_have_the_text_and_the_same_fields(key: str) -> None:
    zh, en = TEXTS[key]
    assert _fields(zh) == _fields(en)
    assert not re.search(r"[\u4e00-\u9fff]", en)
    assert not re.search(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]", zh)


def test_every_text_is_used() -> None:
    quoted = set(re.findall(r"""["']([a-z_]+)["']""", SOURCES))
    assert {key for key in TEXTS if not MADE.fullmatch(key)} <= quoted
