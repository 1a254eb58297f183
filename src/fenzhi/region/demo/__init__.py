"""The demo region: a synthetic year of settlement with history, for trying things out and for tests."""

from fenzhi.region.demo.write import DemoSummary, write_demo

__all__ = ["DemoSummary", "write_demo"]
