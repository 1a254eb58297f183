"""What-ifs: a prepared year, a scenario, and what becomes of every account; fen for fen what a full run would say."""
