"""Lines of keys in TOML, and which file of a chain a value comes from."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from fenzhi.policy import policies_dir
from fenzhi.policy.layers import key_lines, merged, origin, read_layers, stands

TEXT = '''# a comment with [brackets] = 1
top = 1
[meta]
title = "a # [b] = 3"
text = """
[not.a.table]
no = 1
"""
list = [
  "x = 1", # ]
  "[y]",
]
"quoted.key" = 2
a.b = 3

[[bands]]
name = "one"
[[bands]]
name = "two"
inline = { k = 1 }
[bands.inner]
deep = true
[[bands.steps]]
upto = 1
[ spaced . out ]
last = 'x'
'''


def test_every_key_has_its_line():
    assert key_lines(TEXT) == {
        ("top",): 2,
        ("meta",): 3,
        ("meta", "title"): 4,
        ("meta", "text"): 5,
        ("meta", "list"): 9,
        ("meta", "quoted.key"): 13,
        ("meta", "a", "b"): 14,
        ("bands", 0): 16,
        ("bands", 0, "name"): 17,
        ("bands", 1): 18,
        ("bands", 1, "name"): 19,
        ("bands", 1, "inline"): 20,
        ("bands", 1, "inner"): 21,
        ("bands", 1, "inner", "deep"): 22,
        ("bands", 1, "steps", 0): 23,
        ("bands", 1, "steps", 0, "upto"): 24,
        ("spaced", "out"): 25,
        ("spaced", "out", "last"): 26,
    }
    data = tomllib.loads(TEXT)
    assert all(stands(data, place) for place in key_lines(TEXT))


@pytest.mark.parametrize("path", sorted(policies_dir().glob("*.toml")), ids=lambda path: path.stem)
def test_the_lines_of_shipped_packs_are_where_their_keys_stand(path: Path):
    [*_, layer] = read_layers(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(layer.lines) > 5
    for place, number in layer.lines.items():
        assert stands(layer.data, place)
        key = next(part for part in reversed(place) if isinstance(part, str))
        assert key in lines[number - 1]


def test_a_value_comes_from_the_file_that_says_it_last(tmp_path):
    base, top = tmp_path / "base.toml", tmp_path / "top.toml"
    base.write_text('[a]\nx = 1\ny = 1\n[[list]]\nname = "one"\nkind = 1\n', encoding="utf-8")
    top.write_text('[meta]\nextends = "base.toml"\n[a]\nx = 2\n[[list]]\nname = "two"\n', encoding="utf-8")
    layers = read_layers(top)
    assert [layer.path.name for layer in layers] == ["base.toml", "top.toml"]
    data = merged(layers)
    assert (data["a"], data["list"]) == ({"x": 2, "y": 1}, [{"name": "two"}])

    def of(*place):
        found = origin(layers, place)
        return None if found is None else found.path.name

    assert (of("a", "x"), of("a", "y"), of("a", "z"), of("a")) == ("top.toml", "base.toml", None, "top.toml")
    # The list of the top replaces that of the base whole: what it does not say is a default.
    assert (of("list", 0, "name"), of("list", 0, "kind")) == ("top.toml", None)
