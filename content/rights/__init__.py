"""The rights of pictures: what the files that everybody can fetch say of who made them and how they may be used."""

from content.rights.metadata import EmbeddedCredit, embedded_credit
from content.rights.renditions import DRAWN_WITH_CREDIT, VERSION, CreditedRenditions, RenditionInFolder

__all__ = [
    "DRAWN_WITH_CREDIT",
    "VERSION",
    "CreditedRenditions",
    "EmbeddedCredit",
    "RenditionInFolder",
    "embedded_credit",
]
