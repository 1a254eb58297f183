"""HTML pages: the templates, and what every page shows alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fenzhi.reports import confirm, months, region_page, statement
from fenzhi.reports.display import Head, Table, moment, text
from fenzhi.reports.facts import HOSPITAL, Facts
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.rules import rules_lines
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

TEMPLATES = Path(__file__).parent / "templates"
STATEMENTS = "statements"


#: What a hospital gets -> ending of its file; a code's own dots are escaped, so no two codes share a file.
KINDS = {"year": ".html", "months": ".months.html", "confirm": ".confirm.html", "workbook": ".xlsx"}
#: The pages, each with the key of its name.
PAGES = {"year": "only_year", "months": "only_months", "confirm": "only_confirm"}


def statement_file(code: str, kind: str = "year") -> str:
    """Return the file name of a hospital's page or workbook: the code, other characters than A-Za-z0-9_- as %XX.

    So a code can't lead to another folder, and two codes never share a file.
    """
    return "".join(c if re.fullmatch(r"[A-Za-z0-9_-]", c) else _escape(c) for c in code) + KINDS[kind]


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8"))


def statement_link(code: str) -> str:
    """Return the address of a statement as seen from the region page."""
    return f"{STATEMENTS}/{quote(statement_file(code))}"


class Pages:
    """Makes the pages of one run in one language; holds what all of them share.

    ``bands``: cases of the whole region by deviation band. ``linked``: whether a hospital's pages lie in the run's
    folder, where the region's page and each other are found.
    """

    def __init__(self, tables: RunTables, bands: pl.DataFrame, lang: str, *, linked: bool = True) -> None:
        self.tables, self.words = tables, Words(lang, tables.style)
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
            "linked": linked,
        }
        self._environment = environment
        self._bands = bands
        self._titles = statement.band_names(tables, self.words)

    def region(self, facts: Facts) -> str:
        """Return the page of the region; ``facts``: those of all hospitals."""
        shown = region_page.context(self.tables, facts, self.words, statement_link)
        return self._environment.get_template("region.html").render(
            head=_head(self.tables, self.words), **shown
        )

    def page(self, hospital: Hospital, kind: str) -> str:
        """Return one page of a hospital: ``kind`` is one of :data:`PAGES`."""
        if kind == "year":
            shown = statement.context(self.tables, hospital, self._bands, self.words)
        elif kind == "months":
            listed = months.months_of(self.tables, hospital, self._titles, self.words)
            year = statement.months_table(self.tables, hospital, self.words)
            shown = {"hospital": hospital, "months": listed, "year": year}
        else:
            shown = confirm.context(self.tables, hospital, self.words)
        year_line = (self.words("year"), self.tables.manifest["region"]["year"])
        head = [*_hospital_head(hospital, self.words), year_line, *_head(self.tables, self.words)]
        links = [
            (quote(statement_file(hospital.code, other)), self.words(name))
            for other, name in PAGES.items()
            if other != kind
        ]
        template = self._environment.get_template({"year": "statement.html"}.get(kind, f"{kind}.html"))
        return template.render(head=head, links=links, **shown)


def _head(tables: RunTables, words: Words) -> list[tuple[str, Any]]:
    manifest = tables.manifest
    return [
        (words("run"), manifest["run_id"]),
        *rules_lines(tables, words),
        (words("created"), moment(manifest["created"])),
    ]


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
    packs = {entry["policy"]["id"]: entry["policy"] for entry in tables.rules}
    packs = packs or {"": tables.manifest["policy"]}
    for name in dict.fromkeys(name for pack in packs.values() for name in pack["sections"]):
        found = [(pack, pack["sections"][name]) for pack in packs.values() if name in pack["sections"]]
        # Packs that give one source for a section need one row.
        alike = len(found) == len(packs) and all(section == found[0][1] for _, section in found)
        for pack, section in found[:1] if alike else found:
            sure = words.name("confidence", section.get("confidence"))
            title = words.name("section", name) + ("" if alike else f" ({pack['id']})")
            table.add(text(title), text(section.get("cite")), text(sure))
    return table
