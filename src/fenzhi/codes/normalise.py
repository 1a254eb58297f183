"""One spelling for every code: ASCII, no blanks, upper case, and a small ``x``.

Codes in 医保版 carry an ``x`` in two places: as a filler inside the base (``I10.x00``, ``33.6x00``) and
before an extension (``K35.800x001``, ``00.5500x008``). Both are written small; an ``X`` that begins a code is
the chapter of external causes and stays large. ``A54.301+H13.1*`` (dagger and asterisk) is one code.
These functions are meant for distinct codes: take ``unique()`` of a long column first.
"""

from __future__ import annotations

import polars as pl

# What exports leave inside cells besides blanks: byte order marks and characters of no width.
_INVISIBLE = "[\\s\u200b\u200c\u200d\u2060\ufeff]+"
# A filler x follows a point or stands before two digits; an extension follows a digit and has three or more.
_EXTENSION = r"^(.+[0-9])(x[0-9]{3,})$"


def _normalise(codes: pl.Series) -> pl.Series:
    text = (
        codes.cast(pl.String)
        .str.normalize("NFKC")
        .str.replace_all(_INVISIBLE, "")
        .str.replace_all("×", "x", literal=True)
        .str.to_uppercase()
        .str.replace_all(r"([0-9.])X", "${1}x")
    )
    return text.set(text == "", None)


def normalise_diagnosis(codes: pl.Series) -> pl.Series:
    """Return ICD-10 codes in one spelling, as String in the same order; what is left empty becomes null.

    Whole catalogue cells may be given as well: separators only change from full-width to ASCII.
    """
    return _normalise(codes)


def normalise_operation(codes: pl.Series) -> pl.Series:
    """Return ICD-9-CM-3 codes in one spelling, as :func:`normalise_diagnosis` does for ICD-10."""
    return _normalise(codes)


def split_extension(codes: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the base of normalised codes and their extension (null without one).

    ``99.2800x005`` -> ``99.2800`` and ``x005``; ``33.6x00`` and ``I10.x00`` are bases (``x`` is a filler).
    """
    base = codes.str.replace(_EXTENSION, "${1}")
    extension = codes.str.extract(_EXTENSION, 2)
    return base, extension
