"""The StreamField vocabulary: what the body of a page can be made of."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.contrib.typed_table_block.blocks import TypedTableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageBlock, ImageBlockComparison

WORDS = ["bold", "italic", "link", "superscript", "subscript"]
TEXT = ["h4", "ol", "ul", "blockquote", "document-link", "code", *WORDS]


class HeadingBlock(blocks.CharBlock):
    class Meta:
        icon = "title"
        label = _("Heading")
        template = "content/blocks/heading.html"


class PictureComparison(ImageBlockComparison):
    """Compares two versions of a picture's place; Wagtail's own fails where the place is empty."""

    def htmlvalue(self, val: Any) -> str:
        """The picture as HTML; an empty place shows empty fields."""
        shown: str = super().htmlvalue(self.block._image_to_struct_value(None) if val is None else val)
        return shown


class PictureBlock(ImageBlock):
    """A picture with its alt text in this place."""

    def get_comparison_class(self) -> type[PictureComparison]:
        return PictureComparison


class FigureBlock(blocks.StructBlock):
    """A picture with its caption; the credit line is made from the picture's own fields."""

    image = PictureBlock(label=_("Picture"))
    caption = blocks.RichTextBlock(required=False, features=WORDS, label=_("Caption"))
    size = blocks.ChoiceBlock(
        choices=[("text", _("As wide as the text")), ("wide", _("Wider than the text"))],
        default="text",
        label=_("Size"),
    )

    class Meta:
        icon = "image"
        label = _("Figure")
        template = "content/blocks/figure.html"

    def get_api_representation(
        self, value: blocks.StructValue, context: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The figure for machines, with the credit of its picture."""
        figure: dict[str, Any] = super().get_api_representation(value, context)
        return {**figure, "image": value["image"].attribution if value["image"] else None}


class QuoteBlock(blocks.StructBlock):
    text = blocks.TextBlock(label=_("Words"))
    attribution = blocks.CharBlock(required=False, label=_("Who said it"))
    role = blocks.CharBlock(required=False, label=_("Role"))

    class Meta:
        icon = "openquote"
        label = _("Pull quote")
        template = "content/blocks/quote.html"


class CalloutBlock(blocks.StructBlock):
    tone = blocks.ChoiceBlock(
        choices=[("note", _("Good to know")), ("try", _("Try this")), ("caution", _("Watch out"))],
        default="note",
        label=_("Kind"),
    )
    title = blocks.CharBlock(required=False, label=_("Title"))
    text = blocks.RichTextBlock(features=TEXT, label=_("Text"))

    class Meta:
        icon = "info-circle"
        label = _("Call-out")
        template = "content/blocks/callout.html"


class LinkCardBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Title"))
    url = blocks.URLBlock(label=_("Address"))
    source = blocks.CharBlock(required=False, label=_("Whose page it is"))
    text = blocks.TextBlock(required=False, label=_("Why read it"))

    class Meta:
        icon = "link-external"
        label = _("Link")


class LinksBlock(blocks.StructBlock):
    title = blocks.CharBlock(required=False, label=_("Title"))
    items = blocks.ListBlock(LinkCardBlock(), min_num=1, label=_("Links"))

    class Meta:
        icon = "link-external"
        label = _("Link cards")
        template = "content/blocks/links.html"


class StoriesBlock(blocks.StructBlock):
    title = blocks.CharBlock(required=False, label=_("Title"))
    stories = blocks.ListBlock(blocks.PageChooserBlock(page_type="content.StoryPage"), min_num=1, label=_("Stories"))

    class Meta:
        icon = "group"
        label = _("Related stories")
        template = "content/blocks/stories.html"


class DocumentBlock(blocks.StructBlock):
    document = DocumentChooserBlock(label=_("Document"))
    title = blocks.CharBlock(required=False, label=_("Title"), help_text=_("Empty: the document's own title."))

    class Meta:
        icon = "doc-full"
        label = _("Document to download")
        template = "content/blocks/document.html"


class VideoBlock(blocks.StructBlock):
    """A link to a video with its transcript. Nothing is loaded from the video's host on our page."""

    title = blocks.CharBlock(label=_("Title"))
    url = blocks.URLBlock(label=_("Address of the video"))
    transcript = blocks.RichTextBlock(features=TEXT, label=_("Transcript"), help_text=_("What is said and shown."))

    class Meta:
        icon = "media"
        label = _("Video with transcript")
        template = "content/blocks/video.html"


class TableBlock(TypedTableBlock):
    """A table whose cells may hold links and lists."""

    text = blocks.RichTextBlock(features=["ol", "ul", "code", *WORDS], label=_("Text"))
    name = blocks.RichTextBlock(features=WORDS, label=_("Name of the row"))

    class Meta:
        icon = "table"
        label = _("Table")
        template = "content/blocks/table.html"


class CodeBlock(blocks.StructBlock):
    """Lines of code or of a terminal, shown as they are."""

    language = blocks.CharBlock(required=False, max_length=40, label=_("Language"))
    text = blocks.TextBlock(label=_("Lines"))

    class Meta:
        icon = "code"
        label = _("Code")
        template = "content/blocks/code.html"


class StepBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("Step"))
    text = blocks.RichTextBlock(required=False, features=TEXT, label=_("How"))

    class Meta:
        icon = "list-ol"
        label = _("Step")


class StepsBlock(blocks.StructBlock):
    title = blocks.CharBlock(required=False, label=_("Title"))
    items = blocks.ListBlock(StepBlock(), min_num=1, label=_("Steps"))

    class Meta:
        icon = "list-ol"
        label = _("Steps")
        template = "content/blocks/steps.html"


class SignupBlock(blocks.StructBlock):
    """The newsletter's sign-up form; empty words mean the newsletter's own."""

    title = blocks.CharBlock(required=False, label=_("Title"))
    text = blocks.TextBlock(required=False, label=_("Text"))

    class Meta:
        icon = "mail"
        label = _("Newsletter sign-up")
        template = "content/blocks/signup.html"


class BodyBlock(blocks.StreamBlock):
    """The body of a page."""

    heading = HeadingBlock()
    text = blocks.RichTextBlock(
        features=["h3", *TEXT], icon="pilcrow", label=_("Text"), template="content/blocks/text.html"
    )
    figure = FigureBlock()
    quote = QuoteBlock()
    callout = CalloutBlock()
    links = LinksBlock()
    stories = StoriesBlock()
    document = DocumentBlock()
    video = VideoBlock()
    table = TableBlock()
    code = CodeBlock()
    steps = StepsBlock()
    signup = SignupBlock()


class FactBlock(blocks.StructBlock):
    label = blocks.CharBlock(max_length=60, label=_("What"), help_text=_("Such as “Who took part”."))
    value = blocks.CharBlock(max_length=200, label=_("Fact"))

    class Meta:
        icon = "tick"
        label = _("Fact")


class FactsBlock(blocks.StreamBlock):
    """The facts of a story at a glance."""

    fact = FactBlock()
