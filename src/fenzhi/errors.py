"""One exception tree: what is wrong, where, and what to do.

Every error that a user can meet is a :class:`FenzhiError`. The command line prints it without a traceback
and ends with exit code 2. ``code`` is stable and documented; texts may change.
"""

from __future__ import annotations

from pathlib import Path


class FenzhiError(Exception):
    """Something is wrong with what the user gave us, said in words.

    Parameters
    ----------
    message: what is wrong, one sentence.
    code: stable short identifier, for example ``REGION_FILE_MISSING``.
    file, line, row, field, value: where it was found, as far as known. ``line`` counts the lines of a text file,
        ``row`` its data rows, both from 1.
    remedy: what the user can do about it, one sentence.
    """

    code = "ERROR"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        file: str | Path | None = None,
        line: int | None = None,
        row: int | None = None,
        field: str | None = None,
        value: object = None,
        remedy: str | None = None,
    ) -> None:
        if code is not None:
            self.code = code
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.row = row
        self.field = field
        self.value = value
        self.remedy = remedy
        super().__init__(self.text())

    def where(self) -> str:
        """Return the place as ``file, row 3, field age, value 'x'``, empty if nothing is known."""
        parts = []
        if self.file:
            parts.append(self.file)
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.row is not None:
            parts.append(f"row {self.row}")
        if self.field:
            parts.append(f"field {self.field}")
        if self.value is not None:
            parts.append(f"value {str(self.value)!r}")
        return ", ".join(parts)

    def text(self) -> str:
        """Return the whole message: code, place, what is wrong, what to do."""
        lines = [f"[{self.code}] {self.message}"]
        if self.where():
            lines.append(f"  where: {self.where()}")
        if self.remedy:
            lines.append(f"  to do: {self.remedy}")
        return "\n".join(lines)


class InputError(FenzhiError):
    """A file of records is missing, unreadable or has the wrong shape."""

    code = "INPUT"


class CatalogError(FenzhiError):
    """A catalogue is incomplete, contradictory or has an unknown kind of rule."""

    code = "CATALOG"


class PolicyError(FenzhiError):
    """A policy pack has an unknown key, a value out of range or contradicts itself."""

    code = "POLICY"


class RegionError(FenzhiError):
    """A region's folder (region.toml, hospitals.csv, budget.toml, ...) is wrong."""

    code = "REGION"


class OutputError(FenzhiError):
    """A result could not be written, or would overwrite something."""

    code = "OUTPUT"


class ConservationError(FenzhiError):
    """Rows, points or fen were lost or made: the run stops, because its results would be wrong."""

    code = "CONSERVATION"
