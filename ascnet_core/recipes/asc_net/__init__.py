"""How ASC-Net is trained."""

from ascnet_core.recipes.asc_net.recipe import RECIPE

__all__ = ["RECIPE"]
