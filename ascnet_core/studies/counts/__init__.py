"""Counts of scans: made once, kept on the disk by content, made beside the pages."""
