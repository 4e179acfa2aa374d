"""Volumes, slices, intensity and cohorts; works without torch."""
