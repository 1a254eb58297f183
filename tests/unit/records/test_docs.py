"""docs/reference/records.md says what the code does."""

import re
import tomllib
from pathlib import Path

from fenzhi.records import RULES, STAY_COLUMNS, ColumnMap
from fenzhi.records.schema import SYNONYMS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "records.md").read_text(encoding="utf-8")


def test_every_column_and_other_name_is_listed() -> None:
    named = set(re.findall(r"`([a-z_]+)`", PAGE))
    assert {column.name for column in STAY_COLUMNS} | set(SYNONYMS) <= named


def test_the_rules_are_these() -> None:
    listed = re.findall(
        r"^\| `(\w+)` \| (error|warning) \| (?:`(\w+)`|any) \| (.+); (.+) \|$", PAGE, re.MULTILINE
    )
    said = [(code, severity, field, f"{zh}; {en}") for code, severity, field, zh, en in listed]
    assert said == [(r.code, r.severity, r.field, f"{r.zh}; {r.en}") for r in RULES]


def test_the_mapping_shown_is_a_mapping() -> None:
    shown = re.search(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    assert shown
    cmap = ColumnMap.model_validate(tomllib.loads(shown[1]))
    assert set(cmap.model_fields_set) == set(ColumnMap.model_fields)
