"""A run's folder: its files, its lock, its requests; works without torch."""
