"""Every parameter of a policy pack is read by the engine: reads are recorded while drawn policies run."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from pydantic import BaseModel

from cli.small import write_small
from fenzhi.errors import RegionError
from fenzhi.pipeline import BuildInputs
from fenzhi.pipeline.grassroots import select_grassroots
from fenzhi.pipeline.local import build_local
from fenzhi.pipeline.local_source import files_source
from fenzhi.policy import load_policy
from fenzhi.policy.base import Model
from fenzhi.policy.fields import tables_in
from fenzhi.policy.models import Meta, Policy
from property.test_year_twin import ready, run_engine
from twins.draw import drawn_catalog
from twins.draw_year import history_stay, policy_rules, record
from twins.draw_year import region as drawn_region

# Names, titles and dates: shown, checked and written to the manifest, but nothing is computed from them.
TOLD = {("Meta", key) for key in Meta.model_fields}
MOST = 150


def fields(model: type[BaseModel] = Policy) -> set[tuple[str, str]]:
    """Every table and key of a pack, without where it comes from and how sure it is."""
    found = set()
    for key, field in model.model_fields.items():
        inner = list(tables_in(field.annotation))
        for table in inner:
            found |= fields(table)
        if key not in ("cite", "confidence", "title") and not inner:
            found.add((model.__name__, key))
    return found


@pytest.fixture
def reads(monkeypatch):
    """Pairs of table and key that code outside the policy room has read."""
    seen: set[tuple[str, str]] = set()
    plain = Model.__getattribute__

    def look(self, name):
        if name in type(self).model_fields and by_engine(sys._getframe(1)):
            seen.add((type(self).__name__, name))
        return plain(self, name)

    monkeypatch.setattr(Model, "__getattribute__", look)
    return seen


def by_engine(frame) -> bool:
    """Whether code of the engine asks, itself or through a method of the policy; validation does not count."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("fenzhi.policy"):
            return module.startswith("fenzhi.")
        if frame.f_code.co_name == "_check":
            return False
        frame = frame.f_back
    return False


def run_drawn(seed: int) -> None:
    rng = Random(seed)
    region, rules = drawn_region(rng), policy_rules(rng)
    catalog = drawn_catalog(rng, 8, fallback=True)
    history, records = ([maker(rng) for _ in range(40)] for maker in (history_stay, record))
    fitting = ready(region, rules, catalog, history, records)
    if fitting is None or fitting[1] is not None:
        return
    with suppress(RegionError):  # a budget that cannot pay
        run_engine(*fitting[0])


def build(folder: Path, threshold: str) -> None:
    """Build a catalogue from the small region's history."""
    policy = folder / "own.toml"
    policy.write_text(
        '[meta]\nid = "own"\ntitle = "own"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
        f"[weights.threshold]\n{threshold}\n",
        encoding="utf-8",
    )
    build_local(files_source(BuildInputs(history=[folder / "history"], policy=policy)))


def choose(folder: Path) -> None:
    """Choose grassroots groups from the small region's history."""
    region, policy = folder / "region.toml", folder / "own.toml"
    policy.write_text(
        '[meta]\nid = "own"\ntitle = "own"\nscheme = "dip"\nversion = "1"\nextends = "national-dip-3.0"\n'
        '[grassroots]\nprimary_levels = ["2"]\n',
        encoding="utf-8",
    )
    text = region.read_text(encoding="utf-8")
    region.write_text(text.replace('"national-dip-3.0"', '"own.toml"'), encoding="utf-8")
    select_grassroots(folder)


def test_every_parameter_is_read_by_the_engine(reads, tmp_path):
    wanted = fields() - TOLD
    assert not wanted & reads
    folder = write_small(tmp_path / "small")
    build(folder, 'mode = "fixed"\ncases = 1')
    build(folder, 'mode = "coverage"\ncoverage = 0.5')
    choose(folder)
    seeds = iter(range(MOST))
    # Rare rules are drawn rarely: as many years as it takes, but not for ever.
    while wanted - reads and (seed := next(seeds, None)) is not None:
        run_drawn(seed)
    unread = sorted(".".join(pair) for pair in wanted - reads)
    assert not unread, "no run reads these; drawn policies (tests/twins/draw_year.py) have to switch them on"


def test_loading_a_pack_reads_nothing(reads):
    load_policy("jinhua-drg-2017")
    assert reads == set()
