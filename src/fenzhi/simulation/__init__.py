"""What-ifs: a prepared year, a scenario, and what becomes of every account; fen for fen what a full run would say."""

from fenzhi.simulation.outcome import Outcome
from fenzhi.simulation.scenario import Scenario, read_scenario, scenario_of
from fenzhi.simulation.simulate import Simulation, load_simulation, simulate

__all__ = [
    "Outcome",
    "Scenario",
    "Simulation",
    "load_simulation",
    "read_scenario",
    "scenario_of",
    "simulate",
]
