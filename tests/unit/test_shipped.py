"""The data that come with fenzhi: beside the code when installed, in the checkout otherwise."""

from __future__ import annotations

from pathlib import Path

from fenzhi import shipped


def test_the_checkout_holds_policies_and_catalogues():
    folder = shipped.shipped_dir()
    assert {"dip", "policies"} <= {path.name for path in folder.iterdir() if path.is_dir()}
    assert list((folder / "policies").glob("*.toml"))
    assert list((folder / "dip").glob("*/catalog.toml"))


def test_data_inside_the_package_come_first(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "fenzhi"
    package.mkdir(parents=True)
    monkeypatch.setattr(shipped, "__file__", str(package / "shipped.py"))
    assert shipped.shipped_dir() == Path(tmp_path) / "catalogs"
    (package / "_shipped").mkdir()
    assert shipped.shipped_dir() == package / "_shipped"
