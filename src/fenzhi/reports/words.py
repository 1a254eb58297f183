"""The words of one language and one way of paying: texts, names of codes, titles of columns, the glossary."""

from __future__ import annotations

from fenzhi.errors import OutputError
from fenzhi.reports.names import NAMES
from fenzhi.reports.statement_texts import STATEMENT_TEXTS
from fenzhi.reports.styles import DIP, DRG_TEXTS, DRG_TITLES, glossary, said
from fenzhi.reports.texts import GLOSSARY, LANGUAGES, TEXTS
from fenzhi.results import FURTHER, TABLES


def language(lang: str) -> int:
    """Return the position of a language in each text; an unknown language is an :class:`OutputError`."""
    if lang not in LANGUAGES:
        raise OutputError(
            "there is no such language of reports",
            code="REPORT_LANGUAGE",
            field="lang",
            value=lang,
            remedy=f"give one of {', '.join(LANGUAGES)}",
        )
    return LANGUAGES.index(lang)


class Words:
    """The texts of one language and style: ``words("total")``, ``words.name("level", "3")``, ``words.title(...)``.

    ``style`` is one of ``styles.STYLES``.
    """

    def __init__(self, lang: str, style: str = DIP) -> None:
        self.lang, self.style = lang, style
        self._at = at = language(lang)
        other, titles = ({}, {}) if style == DIP else (DRG_TEXTS, DRG_TITLES)
        self._texts = {
            key: said(text, style)[at] for key, text in (TEXTS | STATEMENT_TEXTS | dict(other)).items()
        }
        self._names = {key: said(text, style)[at] for key, text in (NAMES | dict(other)).items()}
        self._titles = {
            (table, column.name): said(titles.get(column.name, (column.zh, column.en)), style)[at]
            for table, columns in (TABLES | FURTHER).items()
            for column in columns
        }

    def __call__(self, key: str, **values: object) -> str:
        """Return a text with its ``{names}`` filled in."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def name(self, kind: str, code: object) -> str:
        """Return the name of a code, or the code itself if it has no name here."""
        if code is None:
            return self("not_known")
        return self.known(kind, code) or str(code)

    def known(self, kind: str, code: object) -> str | None:
        """Return the name of a code, None if it has no name here."""
        return self._names.get(f"{kind}.{code}")

    def sheet(self, table: str) -> str:
        """Return the name of a table as a whole, the title of its sheet."""
        return self._texts.get(f"sheet.{table}", table)

    def title(self, table: str, column: str) -> str:
        """Return the title of a column of a result table."""
        return self._titles[table, column]

    def glossary(self) -> list[tuple[str, str]]:
        """Return the glossary as pairs of term and plain words."""
        return [(term[self._at], meaning[self._at]) for term, meaning in glossary(GLOSSARY, self.style)]
