"""Everything that a run depends on, with a sentence for every value; works without torch."""
