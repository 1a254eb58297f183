"""The slow twins: the rules of docs/rules.md once more, in plain Python, to compare the engine with."""
