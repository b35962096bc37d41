"""What the tags of answers are called in the reader's language (S-52)."""

from __future__ import annotations

from domain.people import CustomerTier
from domain.standard import Standard
from templates.languages import word

_SECTIONS = {"stage": "stage", "problem": "category"}


def tag_name(kind: str, name: str, language: str, standard: Standard) -> str:
    """A theme by the standard's own name, a product as it is, everything else by its label."""
    if kind == "theme":
        names = standard.feedback.themes[name].name
        return names.get(language) or names.get(standard.organisation.default_language) or name
    if kind == "product":
        return name
    if kind == "customer":
        return word(language, "customer_tier" if name in set(CustomerTier) else "feedback", name)
    label = word(language, _SECTIONS[kind], name)
    return label[:1].upper() + label[1:]
