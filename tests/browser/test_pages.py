"""Pages as a browser shows them: nothing is asked of the network, nothing overflows, Chinese is Chinese, A4 holds it.

Pictures of every page are written to the folder that FENZHI_PICTURES names, if it does.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import polars as pl
import pytest

from browser.chromium import Chromium, Opened

WIDE, PHONE = 1280, 390
#: What A4 leaves between margins of 13 mm, in CSS pixels of 1/96 inch: 184 mm upright, 271 mm sideways.
UPRIGHT, SIDEWAYS = 695, 1024
KINDS = ("region", "year", "months", "confirm")


def page_of(run: Path, kind: str) -> Path:
    """Return a page of the run: the region's, or one of the hospital with the most stays."""
    if kind == "region":
        return run / "region.html"
    hospitals = (
        pl.read_parquet(run / "hospitals.parquet").group_by("fixmedins_code").agg(pl.col("cases").sum())
    )
    code = hospitals.sort("cases", "fixmedins_code")["fixmedins_code"][-1]
    return run / "statements" / f"{code}{'' if kind == 'year' else f'.{kind}'}.html"


def keep_picture(opened: Opened, name: str, *, whole: bool = True) -> None:
    folder = os.environ.get("FENZHI_PICTURES")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        opened.picture(Path(folder) / f"{name}.png", whole=whole)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_a_page_is_quiet_and_fits(chromium: Chromium, pages: Path, kind: str, width: int) -> None:
    page = page_of(pages, kind)
    opened = chromium.open(page, width)
    try:
        assert opened.problems == []
        assert opened.requests == [page.resolve().as_uri()]
        root = "document.documentElement"
        assert opened.ask(f"{root}.clientWidth") == width
        assert opened.ask(f"{root}.scrollWidth") <= width
        # Wide tables scroll inside their own box; whatever else sticks out is wrong.
        outside = opened.ask(
            "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg') &&"
            f" e.getBoundingClientRect().right > {width} + 0.5).map(e => e.tagName + '.' + e.className)"
        )
        assert outside == []
        keep_picture(opened, f"{kind}-{width}")
    finally:
        opened.close()


@pytest.mark.parametrize("kind", KINDS)
def test_chinese_is_intact_and_has_a_font(chromium: Chromium, pages: Path, kind: str) -> None:
    opened = chromium.open(page_of(pages, kind), WIDE)
    try:
        text = opened.ask("document.body.innerText")
        said = {
            "region": "按病种付费年度结算总览",
            "year": "从分值到清算，逐步计算",
            "months": "按病种付费分月结算单",
            "confirm": "人民币",
        }
        assert said[kind] in text
        assert "\ufffd" not in text
        # Without a font for it, every Chinese sign is the same box: as wide, and the same picture.
        drawn = opened.ask(
            "(() => { const c = document.createElement('canvas'); c.width = c.height = 40;"
            " const g = c.getContext('2d'); g.font = '30px ' + getComputedStyle(document.body).fontFamily;"
            " return ['分', '值', '清'].map(t => { g.clearRect(0, 0, 40, 40); g.fillText(t, 2, 32);"
            " return c.toDataURL(); }); })()"
        )
        fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=False).stdout
        if not fonts:
            pytest.skip("no font for Chinese: install fonts-noto-cjk or fonts-wqy-zenhei")
        assert len(set(drawn)) == 3
    finally:
        opened.close()


def cut(opened: Opened, width: int) -> list[str]:
    """Return what a sheet of ``width`` CSS pixels would cut off, in print."""
    opened.media("print")
    opened.resize(width)
    found: list[str] = opened.ask(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('svg') && e.offsetParent !== null &&"
        f" e.getBoundingClientRect().right > {width} + 1).map(e => e.tagName + ' ' + e.textContent.slice(0, 40))"
    )
    return found


@pytest.mark.parametrize(
    ("kind", "sheets"),
    # Twelve months, each on a sheet of its own, after the head and the whole year; a page to sign is one sheet.
    [("year", range(4, 10)), ("months", range(13, 14)), ("confirm", range(1, 2))],
)
def test_print_on_a4(chromium: Chromium, pages: Path, kind: str, sheets: range) -> None:
    opened = chromium.open(page_of(pages, kind), WIDE)
    try:
        folder = os.environ.get("FENZHI_PICTURES")
        printed = opened.pdf(Path(folder) / f"{kind}.pdf" if folder else None)
        assert printed in sheets
        assert cut(opened, UPRIGHT) == []
    finally:
        opened.close()


def test_the_regions_table_of_hospitals_prints_sideways(chromium: Chromium, pages: Path) -> None:
    opened = chromium.open(page_of(pages, "region"), WIDE)
    try:
        assert opened.pdf() >= 3
        opened.media("print")
        opened.resize(SIDEWAYS)
        right = opened.ask("document.querySelector('#hospitals table').getBoundingClientRect().right")
        assert right <= SIDEWAYS + 1
        opened.resize(UPRIGHT)
        wide = opened.ask(
            "[...document.querySelectorAll('section:not(#hospitals) table')].filter(e =>"
            f" e.getBoundingClientRect().right > {UPRIGHT} + 1).map(e => e.closest('section').id)"
        )
        assert wide == []
    finally:
        opened.close()


def test_links_between_pages_lead_somewhere(chromium: Chromium, pages: Path) -> None:
    for kind in KINDS:
        page = page_of(pages, kind)
        opened = chromium.open(page, WIDE)
        try:
            links = opened.ask("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
            assert links
            for link in links:
                file, _, anchor = str(link).partition("#")
                if anchor:
                    assert opened.ask(f"document.getElementById({anchor!r}) !== null"), link
                if file:
                    assert (page.parent / file).is_file(), link
        finally:
            opened.close()
