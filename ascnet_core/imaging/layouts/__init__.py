"""How folders of scans are laid out: finding files, and telling what each of them is."""
