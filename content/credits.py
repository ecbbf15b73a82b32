"""Licences (SPDX), the TASL credit line, and what a picture or document still lacks."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from content.wording import Wording


class Licence(models.TextChoices):
    """The terms a work is used under: SPDX identifiers, and LicenseRefs for what SPDX does not list."""

    CC0 = "CC0-1.0", gettext_lazy("CC0 1.0 (public domain dedication)")
    PDM = "LicenseRef-PDM-1.0", gettext_lazy("Public domain")
    CC_BY = "CC-BY-4.0", "CC BY 4.0"
    CC_BY_SA = "CC-BY-SA-4.0", "CC BY-SA 4.0"
    CC_BY_NC = "CC-BY-NC-4.0", "CC BY-NC 4.0"
    CC_BY_NC_SA = "CC-BY-NC-SA-4.0", "CC BY-NC-SA 4.0"
    CC_BY_ND = "CC-BY-ND-4.0", "CC BY-ND 4.0"
    CC_BY_NC_ND = "CC-BY-NC-ND-4.0", "CC BY-NC-ND 4.0"
    CC_BY_3 = "CC-BY-3.0", "CC BY 3.0"
    CC_BY_SA_3 = "CC-BY-SA-3.0", "CC BY-SA 3.0"
    CC_BY_NC_3 = "CC-BY-NC-3.0", "CC BY-NC 3.0"
    CC_BY_NC_SA_3 = "CC-BY-NC-SA-3.0", "CC BY-NC-SA 3.0"
    CC_BY_ND_3 = "CC-BY-ND-3.0", "CC BY-ND 3.0"
    CC_BY_NC_ND_3 = "CC-BY-NC-ND-3.0", "CC BY-NC-ND 3.0"
    CC_BY_25 = "CC-BY-2.5", "CC BY 2.5"
    CC_BY_SA_25 = "CC-BY-SA-2.5", "CC BY-SA 2.5"
    CC_BY_2 = "CC-BY-2.0", "CC BY 2.0"
    CC_BY_SA_2 = "CC-BY-SA-2.0", "CC BY-SA 2.0"
    CC_BY_NC_2 = "CC-BY-NC-2.0", "CC BY-NC 2.0"
    CC_BY_NC_SA_2 = "CC-BY-NC-SA-2.0", "CC BY-NC-SA 2.0"
    CC_BY_ND_2 = "CC-BY-ND-2.0", "CC BY-ND 2.0"
    CC_BY_NC_ND_2 = "CC-BY-NC-ND-2.0", "CC BY-NC-ND 2.0"
    OWN_WORK = "LicenseRef-own-work", gettext_lazy("Our own work, all rights reserved")
    PERMISSION = "LicenseRef-permission", gettext_lazy("Used by permission")
    ALL_RIGHTS_RESERVED = "LicenseRef-all-rights-reserved", gettext_lazy("All rights reserved")

    @property
    def url(self) -> str:
        """Where the terms are written down; empty when no public text exists."""
        if self is Licence.CC0:
            return "https://creativecommons.org/publicdomain/zero/1.0/"
        if self is Licence.PDM:
            return "https://creativecommons.org/publicdomain/mark/1.0/"
        commons = re.fullmatch(r"CC-(BY[A-Z-]*)-(\d\.\d)", self.value)
        return f"https://creativecommons.org/licenses/{commons[1].lower()}/{commons[2]}/" if commons else ""

    @property
    def short(self) -> str:
        """The name readers see in a credit line."""
        return {
            Licence.CC0: "CC0 1.0",
            Licence.OWN_WORK: _("All rights reserved"),
        }.get(self, str(self.label))

    @property
    def is_public_domain(self) -> bool:
        return self in (Licence.CC0, Licence.PDM)

    @property
    def needs_evidence(self) -> bool:
        """Whether somebody had to agree, so that it must be written down who did."""
        return self in (Licence.PERMISSION, Licence.ALL_RIGHTS_RESERVED)

    @property
    def allows_changes(self) -> bool:
        return "-ND-" not in self.value


class Lack(models.TextChoices):
    """What a work can lack; the label continues “the picture “Two fences” ...”."""

    ALT_TEXT = "alt text", gettext_lazy("has no alt text, and is not marked as decorative")
    ALT_TEXT_WORDS = "alt text words", gettext_lazy("has a file name in place of an alt text")
    CREATOR = "creator or holder", gettext_lazy("names no creator and no copyright holder")
    LICENCE = "licence", gettext_lazy("has no licence")
    EVIDENCE = "evidence", gettext_lazy("is used by permission, but nothing says who gave it and when")
    EXPIRED = "permission", gettext_lazy("was permitted for a time that is over")
    CHANGES = "changes", gettext_lazy("was changed, which its licence does not allow")
    RELEASE = "media release", gettext_lazy("shows people who can be recognised, without a media release")


ATTRIBUTION = (Lack.ALT_TEXT, Lack.ALT_TEXT_WORDS, Lack.CREATOR, Lack.LICENCE)


class Work(Protocol):
    """A picture or document as its credit sees it."""

    title: str
    file: Any
    creator: str
    holder: str
    credit_override: str
    licence: str
    licence_evidence: str
    licence_expires: datetime.date | None
    source_url: str
    adapted: str
    maker: Any

    def title_in(self, language: str | None = None) -> Wording: ...


@dataclass(frozen=True)
class Credit:
    """Title, author, source and licence of a work, with what was changed: the TASL line.

    `title_language` is empty where the title is in the language of the line.
    """

    title: str
    title_language: str
    creator: str
    holder: str
    override: str
    maker: str
    source_url: str
    licence: Licence | None
    changes: str

    @property
    def authorship(self) -> str:
        """Whose it is: `© HOLDER | Artist: NAME`, or the words the holder demands."""
        if self.override:
            return self.override
        sign = "" if self.licence and self.licence.is_public_domain else "© "
        if self.holder and self.creator and self.holder != self.creator:
            return f"{sign}{self.holder} | {self.maker}: {self.creator}"
        name = self.holder or self.creator
        return f"{sign}{name}" if name else ""

    def html(self) -> SafeString:
        """The line for a page or a mail: escaped, with the source and the licence linked."""
        between = " " if self.authorship.startswith("©") else " | "
        opening = format_html_join(between, "{}", ((part,) for part in (self._title_html(), self.authorship) if part))
        parts = [opening, self._licence_html(), self._changes()]
        return format_html_join(" | ", "{}", ((part,) for part in parts if part))

    def text(self) -> str:
        """The line for plain text, with the addresses written out."""
        between = " " if self.authorship.startswith("©") else " | "
        opening = between.join(part for part in (self.title, self.authorship) if part)
        licence = ", ".join(part for part in (self.licence.short, self.licence.url) if part) if self.licence else ""
        source = _("Source: %(url)s") % {"url": self.source_url} if self.source_url else ""
        return " | ".join(part for part in (opening, licence, source, self._changes()) if part)

    def data(self) -> dict[str, Any]:
        """The same facts as schema.org properties of an ImageObject or DigitalDocument."""
        facts = {
            "name": self.title,
            "creator": {"@type": "Person", "name": self.creator} if self.creator else None,
            "copyrightHolder": {"@type": "Organization", "name": self.holder} if self.holder else None,
            "creditText": self.authorship,
            "copyrightNotice": self.authorship if self.authorship.startswith("©") else None,
            "license": self.licence.url if self.licence else None,
            "acquireLicensePage": self.source_url,
        }
        return {name: fact for name, fact in facts.items() if fact}

    def _title_html(self) -> str:
        lang = format_html(' lang="{}"', self.title_language) if self.title_language else ""
        if self.source_url and self.title:
            return format_html('<a href="{}"{}>{}</a>', self.source_url, lang, self.title)
        if self.source_url:
            return format_html('<a href="{}">{}</a>', self.source_url, _("Source"))
        return format_html("<span{}>{}</span>", lang, self.title) if lang else self.title

    def _licence_html(self) -> str:
        if self.licence is None:
            return ""
        if not self.licence.url:
            return self.licence.short
        return format_html('<a rel="license" href="{}">{}</a>', self.licence.url, self.licence.short)

    def _changes(self) -> str:
        return _("Changed: %(what)s") % {"what": self.changes} if self.changes else ""


def credit_line(work: Work, language: str | None = None) -> Credit:
    """The credit of a picture or document, ready to be rendered in the active language.

    A title that is only a file name is left out, and so is a source that is no web address.

    Args:
        work: the picture or document.
        language: the language of the page that shows it, which chooses the title; None: the active one.
    """
    title = work.title_in(language)
    return Credit(
        title="" if is_file_name(title.text, work.file.name) else title.text.strip(),
        title_language=title.language if title.language and title.is_foreign(language) else "",
        creator=work.creator.strip(),
        holder=work.holder.strip(),
        override=work.credit_override.strip(),
        maker=str(work.maker),
        source_url=work.source_url if re.match(r"https?://", work.source_url, re.I) else "",
        licence=Licence(work.licence) if work.licence in Licence.values else None,
        changes=work.adapted.strip(),
    )


def missing(
    work: Work, *, alt: str | None = None, decorative: bool | None = None, on: datetime.date | None = None
) -> list[Lack]:
    """What a work still lacks before it may be shown.

    Args:
        work: the picture or document.
        alt: the alt text where it is placed; None: the picture's own.
        decorative: whether it is decorative where it is placed; None: as the picture itself says.
        on: the day it is shown; None: today in the organisation's time zone.
    """
    return [*_missing_words(work, alt, decorative), *_missing_rights(work, on or timezone.localdate())]


def _missing_words(work: Work, alt: str | None, decorative: bool | None) -> list[Lack]:
    if not hasattr(work, "is_decorative"):  # a document has no alt text
        return []
    if work.is_decorative if decorative is None else decorative:
        return []
    words = (work.wording("alt", settings.LANGUAGE_CODE).text if alt is None else alt).strip()  # type: ignore[attr-defined]
    if not words:
        return [Lack.ALT_TEXT]
    echo = words == work.title.strip() and _plain(words) == _plain(_stem(work.file.name))
    return [Lack.ALT_TEXT_WORDS] if echo or is_file_name(words, work.file.name) else []


def _missing_rights(work: Work, on: datetime.date) -> list[Lack]:
    licence = Licence(work.licence) if work.licence in Licence.values else None
    lacks = {
        Lack.CREATOR: not any(name.strip() for name in (work.creator, work.holder, work.credit_override)),
        Lack.LICENCE: licence is None,
        Lack.EVIDENCE: licence is not None and licence.needs_evidence and not work.licence_evidence.strip(),
        Lack.EXPIRED: work.licence_expires is not None and work.licence_expires < on,
        Lack.CHANGES: licence is not None and not licence.allows_changes and bool(work.adapted.strip()),
        Lack.RELEASE: getattr(work, "people_shown", False) and not getattr(work, "media_release", "").strip(),
    }
    return [lack for lack, lacking in lacks.items() if lacking]


NAMED_BY_A_MACHINE = re.compile(
    r"\S+\.(avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)"
    r"|[^\s_]*_\S*"
    r"|[0-9a-f]{16,}"
    r"|(img|dsc[nf]?|dcim|mvimg|pxl|scan|screen ?shot|image|photo|picture|untitled|fig(ure)?)?[\d\s_.:()x-]*([ap]m)?",
    re.I,
)


def is_file_name(text: str, file_name: str = "") -> bool:
    """Whether a text is a file name and no description: `img_1234.jpg`, `Screenshot 2024-05-03`, the file's own stem.

    Args:
        text: the alt text or title.
        file_name: the file the work is kept in, with or without its folder.
    """
    text = text.strip()
    stem = _stem(file_name)
    return bool(NAMED_BY_A_MACHINE.fullmatch(text)) or (bool(stem) and " " not in text and _plain(text) == _plain(stem))


def _stem(file_name: str) -> str:
    """The name without folder, extension, and the seven characters that storage adds to a name already taken."""
    return re.sub(r"_[A-Za-z0-9]{7}$", "", PurePath(file_name or "").stem)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
