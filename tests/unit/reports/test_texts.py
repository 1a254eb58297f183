"""Both languages say the same things, nothing is missing, nothing is left over."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import fenzhi.reports
from fenzhi.errors import OutputError
from fenzhi.policy import load_policy, policies_dir
from fenzhi.records import RULES
from fenzhi.records.rules import Rule
from fenzhi.reports.facts import OUTCOMES
from fenzhi.reports.names import NAMES
from fenzhi.reports.statement_texts import STATEMENT_TEXTS
from fenzhi.reports.tables import SMALL_TABLES
from fenzhi.reports.texts import GLOSSARY, LANGUAGES, TEXTS
from fenzhi.reports.words import Words, language
from fenzhi.results import FURTHER

ALL = TEXTS | STATEMENT_TEXTS | NAMES
RULES_PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
WIDE = str.maketrans(",:;()", "，：；（）")
TEXT_FILES = ("texts.py", "statement_texts.py", "names.py", "styles.py")
# Their pages have texts and tests of their own.
OWN_TEXTS = ("build", "compare", "department", "forecast", "reconcile", "simulate", "switch")
ROOM = Path(fenzhi.reports.__file__).parent
# Rooms that speak in the same words.
USERS = [ROOM.parent / "pipeline" / "ledger.py", ROOM.parent / "cli" / "ledger.py"]


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(ALL))
def test_both_languages_have_the_text_and_the_same_fields(key: str) -> None:
    zh, en = ALL[key]
    assert zh.strip()
    assert en.strip()
    assert _fields(zh) == _fields(en)
    assert not re.search(r"[\u4e00-\u9fff]", en), "Chinese left in an English text"
    assert not re.search(r"[\u4e00-\u9fff][,;:(]|[,;:)][\u4e00-\u9fff]", zh), (
        "half-width sign in a Chinese text"
    )


def test_every_text_is_used_and_every_used_text_exists() -> None:
    sources = [
        path.read_text()
        for path in [*ROOM.glob("*.py"), *ROOM.glob("templates/*.html"), *USERS]
        if path.name not in TEXT_FILES and not path.name.startswith(OWN_TEXTS)
    ]
    quoted = set(re.findall(r"""["']([a-z_]+)["']""", "\n".join(sources)))
    called = set(re.findall(r"""\bw(?:ords)?\(["']([a-z_.]+)["']""", "\n".join(sources)))
    texts = TEXTS | STATEMENT_TEXTS
    assert set(TEXTS) & set(STATEMENT_TEXTS) == set()
    plain = {key for key in texts if "." not in key}
    assert called <= set(texts)
    assert plain - quoted == set()


def test_glossary_is_complete_in_both_languages() -> None:
    assert len(GLOSSARY) >= 10
    for lang in LANGUAGES:
        pairs = Words(lang).glossary()
        assert len({term for term, _ in pairs}) == len(GLOSSARY)
        assert all(term and meaning for term, meaning in pairs)


def test_every_outcome_and_sheet_has_a_name() -> None:
    assert {f"outcome.{name}" for name in OUTCOMES} <= set(NAMES)
    further = [name for name, columns in FURTHER.items() if columns[0].name != "setl_id"]
    assert {f"sheet.{name}" for name in (*SMALL_TABLES, *further)} <= set(TEXTS)


def _documented() -> tuple[set[str], set[str]]:
    """Return the outcomes and the reasons of the first table of the rules."""
    table = RULES_PAGE.read_text(encoding="utf-8").split("## 1. ")[1].split("## 2. ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line[:1] == "|"
    ]
    outcomes = {name for row in rows[2:] for name in row[0].split(" / ")}
    return outcomes, {reason for row in rows[2:] for reason in re.findall(r"`([a-z_]+)`", row[1])}


def test_every_documented_outcome_and_reason_has_words() -> None:
    outcomes, reasons = _documented()
    assert outcomes == set(OUTCOMES)
    assert len(reasons) >= 12
    assert {f"reason.{name}" for name in reasons} - set(NAMES) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_quality_rule_has_its_own_words(rule: Rule) -> None:
    assert NAMES[f"rule.{rule.code}"] == (rule.zh.translate(WIDE), rule.en)


def test_no_words_for_rules_that_do_not_exist() -> None:
    assert {key for key in NAMES if key.startswith("rule.")} == {f"rule.{rule.code}" for rule in RULES}


def test_every_track_and_section_of_the_policies_has_words() -> None:
    for path in sorted(policies_dir().glob("*.toml")):
        policy = load_policy(path)
        tracks = {f"reason.{track}" for track in policy.scope.other_tracks.values()}
        sections = {f"section.{name}" for name, part in policy if hasattr(part, "cite")}
        assert len(sections) > 5
        assert (tracks | sections) - set(NAMES) == set()


def test_a_code_without_a_name_is_shown_as_it_is() -> None:
    assert Words("zh").name("level", "3") == "三级"
    assert Words("en").name("level", "9A") == "9A"
    assert Words("en").name("level", None) == "not stated"


def test_unknown_language() -> None:
    with pytest.raises(OutputError) as error:
        language("fr")
    assert str(error.value) == (
        "[REPORT_LANGUAGE] there is no such language of reports\n"
        "  where: field lang, value 'fr'\n"
        "  to do: give one of zh, en"
    )
