"""Where the data that come with fenzhi lie: beside the code in a wheel, in ``catalogs/`` in a checkout."""

from __future__ import annotations

from pathlib import Path


def shipped_dir() -> Path:
    """Return the folder that holds ``policies/`` and ``dip/``."""
    inside = Path(__file__).parent / "_shipped"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "catalogs"
