"""The demo region: a synthetic year of settlement with history, for trying things out and for tests."""

from fenzhi.region.demo.schemes import SCHEMES
from fenzhi.region.demo.write import DemoSummary, write_demo

__all__ = ["SCHEMES", "DemoSummary", "write_demo"]
