"""The main module M, the discriminator D and their losses."""
