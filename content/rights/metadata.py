"""The credit inside a picture's file, as EXIF and XMP: made from our own fields, never from the uploaded file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils import translation
from PIL import ExifTags, Image, PngImagePlugin

from content.credits import Work, credit_line
from content.text_cleaning import legible

XMP_IN_PNG = "XML:com.adobe.xmp"  # the keyword of the iTXt chunk; XMP specification, part 3
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" \
xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/">\
%s</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


@dataclass(frozen=True)
class EmbeddedCredit:
    """What a file says of its picture. Fields that are not known are empty, and are not written."""

    creator: str
    notice: str
    credit_line: str
    web_statement: str
    usage_terms: str
    is_copyrighted: bool | None

    def __bool__(self) -> bool:
        return any((self.creator, self.notice, self.credit_line, self.web_statement, self.usage_terms))

    def exif(self) -> bytes:
        """Artist and Copyright, in UTF-8 as the Metadata Working Group wants it; empty when neither is known."""
        tags = {ExifTags.Base.Artist: self.creator, ExifTags.Base.Copyright: self.notice}
        exif = Image.Exif()
        for tag, words in tags.items():
            if words:
                exif[tag] = words.encode()
        return exif.tobytes() if len(exif) else b""

    def xmp(self) -> bytes:
        """The packet that Google Images and photo programs read (IPTC Photo Metadata Standard); empty without facts."""
        marked = "" if self.is_copyrighted is None else str(self.is_copyrighted)
        fields = [
            _element("dc:creator", self.creator, "<rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq>"),
            _element("dc:rights", self.notice, '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>'),
            _element("photoshop:Credit", self.credit_line),
            _element("xmpRights:Marked", marked),
            _element("xmpRights:WebStatement", self.web_statement),
            _element(
                "xmpRights:UsageTerms",
                self.usage_terms,
                '<rdf:Alt><rdf:li xml:lang="x-default">{}</rdf:li></rdf:Alt>',
            ),
        ]
        return (XMP % "".join(fields)).encode() if self else b""

    def saving(self, form: str) -> dict[str, Any]:
        """The arguments for Pillow's `save` that write this credit, and nothing of what the image brought along.

        Args:
            form: JPEG, PNG, WEBP or AVIF.
        """
        exif, xmp = self.exif(), self.xmp()
        if form == "PNG":  # Pillow takes no `xmp` for a PNG.
            info = PngImagePlugin.PngInfo()
            if xmp:
                info.add_itxt(XMP_IN_PNG, xmp.decode())
            return {"exif": exif, "pnginfo": info}
        return {"exif": exif, "xmp": xmp, **({"comment": b""} if form == "JPEG" else {})}


def embedded_credit(work: Work) -> EmbeddedCredit:
    """What the files of a picture say of it: the same whatever language is active, the site's first one.

    Without a public license text the web statement is the source of the picture.
    """
    with translation.override(settings.LANGUAGE_CODE):
        credit = credit_line(work)
        license = credit.licence
        in_public_domain = license is not None and license.is_public_domain
        owner = credit.holder or credit.creator
        notice = credit.override or (f"© {owner}" if owner else "")
        return EmbeddedCredit(
            creator=legible(credit.creator),
            notice=legible(str(license.label)) if license and in_public_domain else legible(notice),
            credit_line=legible(credit.authorship),
            web_statement=legible((license.url if license else "") or credit.source_url),
            usage_terms=legible(license.short) if license else "",
            is_copyrighted=None if license is None else not in_public_domain,
        )


def _element(name: str, words: str, form: str = "{}") -> str:
    return f"<{name}>{form.format(escape(words))}</{name}>" if words else ""
