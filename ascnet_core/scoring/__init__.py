"""Metrics and the evaluation of a cohort."""
