"""The pictures of a mail as they were when it was frozen: the tree's addresses lead to copies of their own."""

from __future__ import annotations

import logging

from content.models import CreditedImage, CreditedRendition
from newsletter import frozen_pictures
from newsletter.messages.tree import PICTURE, Item, Picture, Section, Tree, absolute

logger = logging.getLogger(__name__)


class FrozenPictures:
    """Copies each picture of an issue once, however many variants show it."""

    def __init__(self) -> None:
        self._copies: dict[int, str | None] = {}

    def shown_by(self, content: Tree) -> Tree:
        """The tree with the addresses of the copies; without one, the alt text stands in the picture's place.

        Raises:
            OSError: a copy can not be written; nothing may be sent then.
        """
        return {**content, "sections": [self._section(section) for section in content["sections"]]}

    def _section(self, section: Section) -> Section:
        items: list[Item] = [{**item, "picture": self._picture(item["picture"])} for item in section["items"]]
        return {**section, "items": items}

    def _picture(self, picture: Picture | None) -> Picture | None:
        if picture is None:
            return None
        if picture["image"] not in self._copies:
            self._copies[picture["image"]] = self._copied(picture["image"])
        address = self._copies[picture["image"]]
        return None if address is None else {**picture, "url": address}

    def _copied(self, pk: int) -> str | None:
        """Where the copy of a picture stands; empty when it can not be drawn, None when it was withdrawn."""
        rendition = _drawn(CreditedImage.objects.get(pk=pk))
        if not rendition.is_drawn:
            return ""
        frozen = frozen_pictures.freeze(rendition)
        if frozen.withdrawn_at:
            logger.warning("Image %s is left out of the mail: this copy of it was withdrawn.", pk)
            return None
        return absolute(frozen.file.url)


def _drawn(image: CreditedImage) -> CreditedRendition:
    """The picture as mails show it; drawn again where the file of that was lost."""
    rendition: CreditedRendition = image.get_rendition(PICTURE)
    if rendition.is_drawn and not rendition.file.storage.exists(rendition.file.name):
        rendition.delete()
        rendition = image.get_rendition(PICTURE)
    return rendition
