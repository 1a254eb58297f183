"""The local page in a real browser: sliders, files, the token, two users, phone and desk, and no foreign request."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import polars as pl
import pytest

from browser.chromium import PATIENCE, Chromium, Opened
from browser.test_pages import PHONE, WIDE, keep_picture
from fenzhi.server import Served, serve
from fenzhi.simulation import scenario_of

ANSWERS = "document.querySelector('.answered').dataset.answers"
#: What sticks out of the window, besides what scrolls in a box of its own.
OUTSIDE = (
    "[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg, .menu') &&"
    " e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.tagName + '.' + e.className)"
)


@pytest.fixture(scope="module")
def page(pages: Path) -> Iterator[Served]:
    """The page of the demo region, where the region folder has a run."""
    with serve(pages.parents[1]).in_background() as served:
        served.year.simulation()
        yield served


@pytest.fixture(scope="module")
def codes(page: Served) -> list[str]:
    """The two hospitals with the most stays."""
    hospitals = page.year.tables.hospitals.group_by("fixmedins_code").agg(pl.col("cases").sum())
    return hospitals.sort("cases", "fixmedins_code")["fixmedins_code"].to_list()[-2:]


def enter(
    chromium: Chromium, page: Served, part: str, code: str, width: int, user: str | None = None
) -> Opened:
    """Open a part by the printed address."""
    way = page.address.replace("/?", f"/{part}?hospital={code}&")
    return chromium.open(way, width, user)


def slide(opened: Opened, name: str, value: int) -> None:
    opened.ask(
        f"(s => {{ s.value = {value}; s.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
        f"(document.querySelector('input[name={json.dumps(name)}]'))"
    )


def answered(opened: Opened, times: int) -> str:
    opened.until(f"Number({ANSWERS} || 0) >= {times} && !document.querySelector('.waiting')")
    return str(opened.ask("document.querySelector('.answered .figures dd:last-child, .answered').innerText"))


def arrived(file: Path) -> None:
    """Wait for a file that the browser was told to take."""
    late = time.monotonic() + PATIENCE
    while not file.is_file() or not file.stat().st_size:
        assert time.monotonic() < late, sorted(file.parent.iterdir())
        time.sleep(0.02)


def all_local(opened: Opened, page: Served) -> bool:
    base = page.address.split("/?")[0] + "/"
    return bool(opened.requests) and all(url.startswith((base, "data:")) for url in opened.requests)


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("part", ["", "forecast", "scenario", "departments", "case", "export"])
def test_a_part_is_quiet_fits_and_asks_this_machine_only(
    chromium: Chromium, page: Served, codes: list[str], part: str, width: int
) -> None:
    opened = enter(chromium, page, part, codes[1], width)
    try:
        if part == "scenario":
            answered(opened, 1)
            slide(opened, "volume", 10)
            slide(opened, "others", 4)
            answered(opened, 2)
        if part == "forecast":
            answered(opened, 1)
        if part == "case":
            fields = {"diag": "K35.800", "sex": "1", "age": "50", "days": "6", "cost": "10500"}
            for name, value in fields.items():
                opened.ask(f"void (document.querySelector('[name={name}]').value = {json.dumps(value)})")
            opened.ask("document.querySelector('[name=diag]').form.requestSubmit()")
            answered(opened, 1)
            assert "10,500.00" in opened.ask("document.querySelector('.shown').innerText")
        assert opened.problems == []
        assert all_local(opened, page)
        # The token has left the address, and no script can read what took its place.
        assert "token" not in opened.ask("location.href")
        assert opened.ask("document.cookie") == ""
        assert opened.ask("document.documentElement.scrollWidth") <= width
        assert opened.ask(OUTSIDE) == []
        assert "\ufffd" not in opened.ask("document.body.innerText")
        keep_picture(opened, f"serve-{part or 'overview'}-{width}")
        if part == "scenario":
            # What README shows: the window, at the phone scrolled to the answer.
            opened.resize(width, 1000 if width == WIDE else 844)
            if width == PHONE:
                opened.ask("document.querySelector('input[name=volume]').closest('label').scrollIntoView()")
            keep_picture(opened, "serve" if width == WIDE else "serve-phone", whole=False)
    finally:
        opened.close()


def test_a_slider_changes_number_and_picture(chromium: Chromium, page: Served, codes: list[str]) -> None:
    opened = enter(chromium, page, "scenario", codes[1], WIDE)
    try:
        answered(opened, 1)
        look = (
            "[...document.querySelectorAll('.shown #picture-causes svg rect')].map(r => r.outerHTML).join()"
        )
        before = (opened.ask("document.querySelector('.shown .lead').innerText"), opened.ask(look))
        slide(opened, "volume", 20)
        assert opened.ask("document.querySelector('input[name=volume]').closest('label').innerText") == (
            "病例数\n+20\u00a0%"
        )
        answered(opened, 2)
        after = (opened.ask("document.querySelector('.shown .lead').innerText"), opened.ask(look))
        assert before[0] != after[0]
        assert before[1] != after[1]
        # The number is that of the engine.
        data = {"hospital": codes[1], "volume": [{"growth": "0.2"}]}
        fen = page.year.simulation().run(scenario_of(data)).own["difference_fen"].sum()
        shown = opened.ask("document.querySelector('.shown .figures div:nth-child(3) dd').innerText")
        assert round(float(shown.replace(",", "").replace("\N{MINUS SIGN}", "-")) * 100) == fen != 0
        # Kept, then put back.
        opened.ask("document.querySelector('[data-keep]').click()")
        assert shown in opened.ask("document.querySelector('#kept tbody').innerText")
        opened.ask("document.querySelector('button[type=reset]').click()")
        answered(opened, 3)
        assert opened.ask("document.querySelector('.shown .lead').innerText") == before[0]
        # A scenario that makes no sense is answered in words, not by a failure.
        slide(opened, "mix", 10)
        answered(opened, 4)
        assert "无法给出结果" in opened.ask("document.querySelector('.shown').innerText")
        assert opened.problems == []
        assert all_local(opened, page)
    finally:
        opened.close()


def test_a_scenario_file_with_a_typo_names_the_nearest_key(
    chromium: Chromium, page: Served, codes: list[str]
) -> None:
    opened = enter(chromium, page, "scenario", codes[1], PHONE)
    try:
        answered(opened, 1)
        opened.ask(
            "(t => { t.value = '[[volume]]\\ngrowht = 0.1\\n'; t.form.requestSubmit(); })"
            "(document.querySelector('textarea'))"
        )
        answered(opened, 2)
        assert "'growth'" in opened.ask("document.querySelector('.shown').innerText")
        assert opened.ask(OUTSIDE) == []
        assert opened.problems == []
    finally:
        opened.close()


def test_tables_and_pictures_are_taken_away(
    chromium: Chromium, page: Served, codes: list[str], tmp_path: Path
) -> None:
    opened = enter(chromium, page, "scenario", codes[0], WIDE, chromium.somebody_else(tmp_path))
    try:
        answered(opened, 1)
        run = page.year.run.name
        for selector, name in (
            (".shown #causes form[action$='.csv'] button", f"{run}-scenario-causes.csv"),
            (".shown #picture-causes form[action$='.png'] button", f"{run}-scenario-causes.png"),
        ):
            opened.ask(f"document.querySelector({json.dumps(selector)}).click()")
            arrived(tmp_path / name)
        assert (tmp_path / f"{run}-scenario-causes.png").read_bytes().startswith(b"\x89PNG")
        assert "差额" in (tmp_path / f"{run}-scenario-causes.csv").read_text("utf-8-sig")
        assert opened.problems == []
    finally:
        opened.close()


def test_a_wrong_token_is_refused(chromium: Chromium, page: Served) -> None:
    base = page.address.split("/?")[0]
    for way in (base, f"{base}/?token=wrong"):
        opened = chromium.open(way, WIDE, chromium.somebody_else())
        try:
            text = opened.ask("document.body.innerText")
            assert text.startswith("请使用 fenzhi serve 打印的完整地址打开本页")
            assert page.year.names()[page.year.codes[0]] not in text
        finally:
            opened.close()
    with pytest.raises(OSError, match="403"):
        urlopen(base, timeout=20)


def test_another_page_cannot_ask(chromium: Chromium, page: Served, codes: list[str], tmp_path: Path) -> None:
    """A page from elsewhere, in the browser that has the cookie, gets nothing."""
    enter(chromium, page, "", codes[0], WIDE).close()
    base = page.address.split("/?")[0]
    foreign = tmp_path / "foreign.html"
    foreign.write_text(
        f"<iframe src='{base}/'></iframe><script>window.got = 'waiting';"
        f"fetch('{base}/answer/scenario', {{method: 'POST', body: '{{}}', credentials: 'include', mode: 'no-cors'}})"
        ".then(r => window.got = r.type + r.status, e => window.got = 'refused');</script>",
        encoding="utf-8",
    )
    opened = chromium.open(foreign, WIDE)
    try:
        # An opaque answer says nothing, not even its status.
        assert opened.until("window.got !== 'waiting' && window.got") in ("refused", "opaque0")
        assert opened.problems
    finally:
        opened.close()


def test_a_second_user_at_the_same_time(chromium: Chromium, page: Served, codes: list[str]) -> None:
    users = [enter(chromium, page, "scenario", code, WIDE, chromium.somebody_else()) for code in codes]
    try:
        for opened in users:
            answered(opened, 1)
        growths = (15, -25)
        for opened, growth in zip(users, growths, strict=True):
            slide(opened, "volume", growth)
        for opened, code, growth in zip(users, codes, growths, strict=True):
            answered(opened, 2)
            data = {"hospital": code, "volume": [{"growth": str(growth / 100)}]}
            fen = page.year.simulation().run(scenario_of(data)).own["after_fen"].sum()
            shown = opened.ask("document.querySelector('.shown .figures div:nth-child(2) dd').innerText")
            assert round(float(shown.replace(",", "")) * 100) == fen
            assert opened.problems == []
    finally:
        for opened in users:
            opened.close()
