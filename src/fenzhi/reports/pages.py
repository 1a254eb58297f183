"""HTML pages: the templates, and what every page shows alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.reports import region_page, statement
from fenzhi.reports.display import Head, Table, moment, text
from fenzhi.reports.facts import HOSPITAL, Facts, by_band
from fenzhi.reports.statement import Hospital
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

TEMPLATES = Path(__file__).parent / "templates"
STATEMENTS = "statements"


def statement_file(code: str) -> str:
    """Return the file name of a hospital's statement: the code, other characters than A-Za-z0-9_- as %XX.

    So a code can't lead to another folder, and two codes never share a file.
    """
    return "".join(c if re.fullmatch(r"[A-Za-z0-9_-]", c) else _escape(c) for c in code) + ".html"


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))


def statement_link(code: str) -> str:
    """Return the address of a statement as seen from the region page."""
    return f"{STATEMENTS}/{quote(statement_file(code))}"


class Pages:
    """Makes the pages of one run in one language; holds what all of them share."""

    def __init__(self, tables: RunTables, facts: Facts, lang: str) -> None:
        self.tables, self.facts, self.words = tables, facts, Words(lang, tables.style)
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals |= {
            "w": self.words,
            "manifest": tables.manifest,
            "synthetic": tables.synthetic,
            "version": tables.manifest.get("versions", {}).get("fenzhi", ""),
            "css": Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
            "sources": sources_table(tables, self.words),
        }
        self._environment = environment
        self._bands = by_band(facts.deviation)

    def region(self) -> str:
        """Return the page of the region."""
        shown = region_page.context(self.tables, self.facts, self.words, statement_link)
        return self._environment.get_template("region.html").render(
            head=_head(self.tables, self.words), **shown
        )

    def statement(self, hospital: Hospital) -> str:
        """Return the statement of one hospital."""
        shown = statement.context(self.tables, hospital, self._bands, self.words)
        year = (self.words("year"), self.tables.manifest["region"]["year"])
        head = [*_hospital_head(hospital, self.words), year, *_head(self.tables, self.words)]
        return self._environment.get_template("statement.html").render(head=head, **shown)


def _head(tables: RunTables, words: Words) -> list[tuple[str, Any]]:
    manifest = tables.manifest
    policy, catalog = manifest["policy"], manifest["catalog"]
    return [
        (words("run"), manifest["run_id"]),
        (words("policy"), f"{policy_title(tables, words)} ({policy['id']})"),
        (words("catalog"), f"{catalog['title']} {catalog['version']}"),
        (words("created"), moment(manifest["created"])),
    ]


def policy_title(tables: RunTables, words: Words) -> str:
    """Return the policy's title, in English if the page is and the policy has one."""
    policy = tables.manifest["policy"]
    return str((words.lang == "en" and policy.get("title_en")) or policy["title"])


def _hospital_head(hospital: Hospital, words: Words) -> list[tuple[str, Any]]:
    first = hospital.rows.row(0, named=True)
    return [
        (words("code"), first[HOSPITAL]),
        (words("level"), words.name("level", first["level"])),
        (words("type"), words.name("type", first["type"])),
    ]


def sources_table(tables: RunTables, words: Words) -> Table:
    """Where each section of the policy comes from and how sure it is."""
    heads = [Head(words("section"), False), Head(words("cite"), False), Head(words("confidence"), False)]
    table = Table("sources", words("sources"), heads)
    for name, section in tables.manifest["policy"]["sections"].items():
        sure = words.name("confidence", section.get("confidence"))
        table.add(text(words.name("section", name)), text(section.get("cite")), text(sure))
    return table
