"""Names that a package offers and loads when they are first used, so that its import stays quick."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    Parameters
    ----------
    package : str
        Its `__name__`.
    modules : mapping
        Public name -> module of the package that it lives in. A name that is that module's own stands for the
        module.

    Examples
    --------
    >>> find, _, names = lazy_names("culture_metrics.links", {"mediate": "mediation", "power": "power"})
    >>> names, find("mediate").__name__, find("power").__name__
    (['mediate', 'power'], 'mediate', 'culture_metrics.links.power')
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        module = import_module(f"{package}.{modules[name]}")
        found = module if modules[name] == name else getattr(module, name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*modules, *(name for name in vars(sys.modules[package]) if name.startswith("__"))})

    return find, names, sorted(modules)
