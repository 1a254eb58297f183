"""The only place that knows the order of the stages: the year, grouping a file, a catalogue, an explanation."""

from fenzhi.pipeline.build import BuildInputs, build_from_history, write_built
from fenzhi.pipeline.explain import Explanation, explain_stay
from fenzhi.pipeline.groupfile import explain_grouping, group_file
from fenzhi.pipeline.store import Run, run
from fenzhi.pipeline.year import compute

__all__ = [
    "BuildInputs",
    "Explanation",
    "Run",
    "build_from_history",
    "compute",
    "explain_grouping",
    "explain_stay",
    "group_file",
    "run",
    "write_built",
]
