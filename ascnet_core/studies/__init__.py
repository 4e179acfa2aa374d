"""Studies: a threshold per subject for a whole cohort, decided by people, kept and applied."""
