"""pyproject.toml, uv.lock and the two requirements locks say the same."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
[OURS] = [package for package in PACKAGES if package["source"] == {"editable": "."}]
LOCKS = {"requirements.lock": "build", "requirements-dev.lock": "dev"}

_PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))? \\$")
_HASH = re.compile(r"^    --hash=(sha256:[0-9a-f]{64})(?: \\)?$")


def pins(name: str) -> dict[tuple[str, str], set[str]]:
    """Read a requirements lock: (package, version) -> hashes; every line must be understood."""
    found: dict[tuple[str, str], set[str]] = {}
    at = None
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        pin, digest = _PIN.match(line), _HASH.match(line)
        assert pin or digest, line
        if pin:
            at = (pin["name"], pin["version"])
            assert at not in found, f"{at} twice"
            found[at] = set()
        else:
            found[at].add(digest[1])
    return found


def reachable(roots: Iterable[dict[str, object]]) -> dict[tuple[str, str], set[str]]:
    """Follow the dependencies in uv.lock: (package, version) -> hashes of its files."""
    found: dict[tuple[str, str], set[str]] = {}
    waiting = list(roots)
    while waiting:
        wanted = waiting.pop()
        for package in PACKAGES:
            if package["name"] != wanted["name"] or package["version"] != wanted.get(
                "version", package["version"]
            ):
                continue
            key = (package["name"], package["version"])
            if key not in found:
                files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
                found[key] = {file["hash"] for file in files}
                waiting += package.get("dependencies", ())
    return found


@pytest.mark.parametrize(("lock", "group"), LOCKS.items())
def test_a_requirements_lock_is_the_closure_of_uv_lock(lock, group):
    roots = [*OURS["dependencies"], *OURS["dev-dependencies"][group]]
    assert pins(lock) == reachable(roots), "run `scripts/lock`"


def test_whoever_has_the_development_lock_has_the_other():
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert run.items() <= dev.items()
    assert len(run) > len(PROJECT["project"]["dependencies"])


def _plain(requirement: str) -> tuple[str, frozenset[str]]:
    name, limits = re.fullmatch(r"([A-Za-z0-9._-]+)(.*)", requirement).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), frozenset(limits.replace(" ", "").split(","))


def _locked(requirements: Iterable[dict[str, str]]) -> set[tuple[str, frozenset[str]]]:
    return {_plain(item["name"] + item.get("specifier", "")) for item in requirements}


def test_uv_lock_was_made_from_this_pyproject():
    metadata = OURS["metadata"]
    assert _locked(metadata["requires-dist"]) == {_plain(text) for text in PROJECT["project"]["dependencies"]}
    groups = PROJECT["dependency-groups"]
    build = {_plain(text) for text in groups["build"]}
    dev = {_plain(text) for text in groups["dev"] if isinstance(text, str)}
    assert {"include-group": "build"} in groups["dev"]
    assert _locked(metadata["requires-dev"]["build"]) == build
    assert _locked(metadata["requires-dev"]["dev"]) == dev | build


def test_the_build_tool_is_the_one_that_builds():
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]
