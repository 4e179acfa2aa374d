"""Recipes against each other: patients held out, many runs, one table."""
