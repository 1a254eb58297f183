"""The wheel alone, outside the checkout: the command, the shipped data, a demo region and its year."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A new environment with the wheel; dependencies come from the environment of the tests, fenzhi does not."""
    venv = tmp_path_factory.mktemp("wheel") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=300)
    paths = {key: sysconfig.get_path(key, "venv", {"base": str(venv)}) for key in ("purelib", "scripts")}
    programs = Path(paths["scripts"])
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, timeout=300)
    # A second place to look: what is installed here comes first, and path files over there are not read.
    Path(paths["purelib"], "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return programs


@pytest.fixture(scope="module")
def run(installed, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")

    def call(program, *arguments):
        environ = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FENZHI"))
        }
        done = subprocess.run(
            [str(installed / program), *arguments],
            cwd=away,
            env={**environ, "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    call.folder = away
    return call


def test_the_wheel_holds_the_package_the_data_and_nothing_of_the_house(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = [name for name in names if name.endswith("entry_points.txt")]
        assert "fenzhi = fenzhi.cli:main" in archive.read(entry_points[0]).decode()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"fenzhi", wheel.name.split("-py3")[0] + ".dist-info"}
    assert "fenzhi/py.typed" in names
    files = [path for path in (ROOT / "catalogs").rglob("*") if path.is_file()]
    in_checkout = {path.relative_to(ROOT / "catalogs").as_posix() for path in files}
    shipped = {name.removeprefix("fenzhi/_shipped/") for name in names if name.startswith("fenzhi/_shipped/")}
    assert shipped == in_checkout
    data = [path for path in (ROOT / "src").rglob("*") if path.suffix in {".html", ".css"}]
    assert data
    assert {path.relative_to(ROOT / "src").as_posix() for path in data} <= set(names)
    assert not [name for name in names if name.endswith((".pyc", ".nbi", ".nbc"))]


def test_it_is_the_wheel_that_runs_and_not_the_checkout(run):
    script = (
        "import fenzhi; from fenzhi.shipped import shipped_dir; print(fenzhi.__file__); print(shipped_dir())"
    )
    place, data = run("python", "-c", script).splitlines()
    assert not Path(place).is_relative_to(ROOT)
    assert Path(data) == Path(place).parent / "_shipped"


def test_help_and_version(wheel, run):
    version = wheel.name.split("-")[1]
    assert "fenzhi run" in run("fenzhi", "--help")
    assert "fenzhi run" in run("python", "-m", "fenzhi", "--help")
    assert version in run("fenzhi", "--version")


def test_the_shipped_data_are_found_by_name(run):
    script = (
        "from fenzhi.catalogs import load_catalog; from fenzhi.policy import load_policy, policies_dir\n"
        "print(*[load_policy(p.stem).meta.id for p in policies_dir().glob('*.toml')])\n"
        "print(load_catalog('demonstration-3.0').groups.height)\n"
    )
    policies, groups = run("python", "-c", script).splitlines()
    assert "national-dip-3.0" in policies.split()
    assert int(groups) > 0


def test_a_demo_region_and_its_year(run):
    run("fenzhi", "demo", "region", "--stays", "2000", "--hospitals", "10")
    run("fenzhi", "run", "region")
    [folder] = (run.folder / "region" / "runs").iterdir()
    for name in ("cases.parquet", "manifest.json", "region.html", "region.xlsx"):
        assert (folder / name).stat().st_size > 0
    # Of each hospital the year, its months and the page to sign.
    assert len(list((folder / "statements").glob("*.html"))) == 30
