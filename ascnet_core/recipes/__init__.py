"""How each method is trained: a file or a folder for each, named as in `settings/methods/`."""
