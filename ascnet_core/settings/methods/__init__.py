"""The methods that can be trained, by name. Every file of this folder is one of them."""

from importlib import import_module
from pkgutil import iter_modules

from ascnet_core.errors import UserError
from ascnet_core.settings.method import TrainedMethod


def _declared() -> dict[str, type[TrainedMethod]]:
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return {method.name: method for method in TrainedMethod.__subclasses__()}


METHODS = _declared()


def method_named(name: object) -> type[TrainedMethod]:
    """The class of a method; `UserError` names those that there are."""
    for known, method in METHODS.items():
        if known == name:
            return method
    raise UserError(f"method.name is {name!r}; choose one of {', '.join(METHODS)}.")
