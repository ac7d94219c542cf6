"""The link from an estimator's HTML diagram to its page of the documentation."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


class DocumentationLink:
    """Mixin that links to the documentation which the installed package names, if it names one.

    scikit-learn's diagram reads these two attributes. An empty template makes no link.
    """

    _doc_link_module = "skxent"

    @property
    def _doc_link_template(self) -> str:
        site = documentation_site()
        return f"{site}/reference/generated/skxent.{{estimator_name}}.html" if site else ""


@cache
def documentation_site() -> str:
    """Address of the documentation, from ``project.urls`` of the installed package, or nothing."""
    try:
        urls = metadata("skxent").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = dict(url.split(", ", 1) for url in urls)
    sites = (address for name, address in named.items() if name.lower() == "documentation")
    return next(sites, "").rstrip("/")
