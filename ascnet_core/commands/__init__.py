"""One file a verb of the command line: its options, its help, and what it calls."""
