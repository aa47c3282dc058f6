"""Python SDK of the secure model artifact store.

    from smas import Store

    store = Store("https://models.example.com")  # or Store(): where `smas login` signed in
    version = store.push("out/", "fraud/credit-risk", message="random forest").version
    folder = store.pull("fraud/credit-risk@latest", "in/").folder
    forest = store.load_joblib("fraud/credit-risk@champion", "model.joblib")

It speaks the store's HTTP contract alone: no AWS library, no AWS credentials. Errors are the tree in
``smas.errors``. Names are imported when first used, so that ``smas --help`` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smas.about import VERSION as __version__  # noqa: N811 - its usual name
    from smas.audit_results import AuditEvent, AuditIntegrity
    from smas.errors import SmasError
    from smas.results import Alias, File, Model, Pulled, Pushed, Version, VersionSummary
    from smas.store import Store

__all__ = [
    "Alias",
    "AuditEvent",
    "AuditIntegrity",
    "File",
    "Model",
    "Pulled",
    "Pushed",
    "SmasError",
    "Store",
    "Version",
    "VersionSummary",
    "__version__",
]

_HOMES = {
    "Store": ("smas.store", "Store"),
    "AuditEvent": ("smas.audit_results", "AuditEvent"),
    "AuditIntegrity": ("smas.audit_results", "AuditIntegrity"),
    "SmasError": ("smas.errors", "SmasError"),
    "__version__": ("smas.about", "VERSION"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in __all__:
        message = f"module 'smas' has no attribute {name!r}"
        raise AttributeError(message)
    module, attribute = _HOMES.get(name, ("smas.results", name))
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """Public names, imported or not: notebooks complete from this."""
    return sorted(__all__)
