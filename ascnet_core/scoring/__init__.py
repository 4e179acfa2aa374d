"""The evaluation of a cohort and its report."""
