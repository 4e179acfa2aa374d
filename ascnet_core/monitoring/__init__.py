"""What a run's events and snapshots say while it trains: history, peaks in time, advice."""
