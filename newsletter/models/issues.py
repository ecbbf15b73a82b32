"""What it says: the newsletter's page and its issues."""

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page
from wagtail.search import index
from wagtail.url_routing import RouteResult

from content.blocks import WORDS
from content.models import ArticlePage, Facet, OpenableDraft, Term
from newsletter.models.subscribers import Newsletter

ISSUES = "issues"


class NewsletterPage(OpenableDraft, Page):
    """What the newsletter is, the sign-up form, and the archive of its issues under `issues/`."""

    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="pages", verbose_name=_("newsletter")
    )
    introduction = RichTextField(_("introduction"), blank=True, features=WORDS)

    max_count_per_parent = 1
    parent_page_types = ["content.HomePage"]
    subpage_types = ["newsletter.IssuePage"]
    content_panels = [*Page.content_panels, FieldPanel("newsletter"), FieldPanel("introduction")]
    search_fields = [*Page.search_fields, index.SearchField("introduction")]

    template = "newsletter/newsletter_page.html"

    class Meta:
        verbose_name = _("newsletter page")

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Issues live one step further down than their parent: /newsletter/issues/<slug>/."""
        if not path_components:
            return super().route(request, path_components)
        if path_components[0] != ISSUES or len(path_components) < 2:
            raise Http404
        return super().route(request, path_components[1:])


class IssueItemBlock(blocks.StructBlock):
    """One page in an issue; the editor may rewrite its words for the mail, and pin it against re-drafting."""

    title = blocks.CharBlock(required=False, label=_("Title for the mail"), help_text=_("Empty: the page's own title."))
    summary = blocks.TextBlock(
        required=False, label=_("Summary for the mail"), help_text=_("Empty: the page's own summary or invitation.")
    )
    pinned = blocks.BooleanBlock(required=False, label=_("Always first for everybody"))


class ResourceItemBlock(IssueItemBlock):
    page = blocks.PageChooserBlock(page_type=["content.ArticlePage", "content.CollectionPage"], label=_("Resource"))

    class Meta:
        icon = "doc-full"
        label = _("Resource")
        form_layout = ["page", "title", "summary", "pinned"]


class StoryItemBlock(IssueItemBlock):
    page = blocks.PageChooserBlock(page_type="content.StoryPage", label=_("Story"))

    class Meta:
        icon = "group"
        label = _("Story")
        form_layout = ["page", "title", "summary", "pinned"]


class EventItemBlock(IssueItemBlock):
    page = blocks.PageChooserBlock(page_type="content.EventPage", label=_("Event"))

    class Meta:
        icon = "date"
        label = _("Invitation")
        form_layout = ["page", "title", "summary", "pinned"]


class CorrectionBlock(blocks.StructBlock):
    """What turned out to be wrong after an issue was sent. The words that were sent stay as they are."""

    date = blocks.DateBlock(label=_("Date"))
    text = blocks.RichTextBlock(features=WORDS, label=_("What is right"))

    class Meta:
        icon = "edit"
        label = _("Correction")


class IssuePage(OpenableDraft, Page):
    """The words of one issue. What was sent is frozen in its mailing; this page is what editors work on."""

    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="issues", verbose_name=_("newsletter")
    )
    month = models.DateField(_("month"), help_text=_("The first day of the month it covers."))
    subject = models.CharField(_("subject"), max_length=150, blank=True)
    preheader = models.CharField(
        _("preheader"), max_length=150, blank=True, help_text=_("The line most inboxes show after the subject.")
    )
    introduction = RichTextField(_("introduction"), blank=True, features=[*WORDS, "ul", "ol"])
    resources = StreamField([("item", ResourceItemBlock())], blank=True, verbose_name=_("actionable resources"))
    stories = StreamField([("item", StoryItemBlock())], blank=True, verbose_name=_("stories of best practice"))
    events = StreamField([("item", EventItemBlock())], blank=True, verbose_name=_("invitations"))
    closing = RichTextField(_("closing"), blank=True, features=[*WORDS, "ul", "ol"])
    corrections = StreamField(
        [("correction", CorrectionBlock())],
        blank=True,
        verbose_name=_("corrections"),
        help_text=_("Shown above the issue on the web. What was sent is never changed."),
    )
    digest_key = models.CharField(
        max_length=80,
        null=True,
        unique=True,
        editable=False,
        help_text="Newsletter, month and language of a drafted digest: two drafters can not make two.",
    )
    composed_revision = models.BigIntegerField(
        null=True, editable=False, help_text="The revision the drafter wrote last; a newer one is an editor's."
    )

    # A copy or translation is an editor's, not the drafter's.
    exclude_fields_in_copy = ["digest_key", "composed_revision"]

    parent_page_types = ["newsletter.NewsletterPage"]
    subpage_types: list[str] = []
    content_panels = [
        *Page.content_panels,
        FieldRowPanel([FieldPanel("newsletter"), FieldPanel("month")]),
        MultiFieldPanel([FieldPanel("subject"), FieldPanel("preheader")], heading=_("In the inbox")),
        FieldPanel("introduction"),
        FieldPanel("resources"),
        FieldPanel("stories"),
        FieldPanel("events"),
        FieldPanel("closing"),
        FieldPanel("corrections"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("subject"), index.SearchField("introduction")]

    template = "newsletter/issue_page.html"

    class Meta:
        verbose_name = _("issue")
        verbose_name_plural = _("issues")

    @property
    def shows_what_was_sent(self) -> bool:
        """Whether its page shows the frozen words of its mailing, which nothing that is deleted can change."""
        mailings = self.mailings.model.objects.exclude(state="cancelled").filter(
            variants__language=self.locale.language_code
        )
        return bool(mailings.filter(issue__translation_key=self.translation_key).exists())

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        """What an editor can look at: the page, the mail and its text, and the mail as readers with a choice get it."""
        modes: list[tuple[str, Any]] = [
            ("", _("On the web")),
            ("mail", _("As mail")),
            ("text", _("As mail in plain text")),
        ]
        for term in self.choosable_terms:
            words = gettext("As mail, for readers who chose “%(term)s”") % {"term": term.name}
            modes.append((f"mail-{term.translation_key}", words))
        return modes

    @property
    def choosable_terms(self) -> QuerySet[Term]:
        """What subscribers can choose and its resources are found under."""
        resources = [child.value["page"].pk for child in self.resources if child.value["page"]]
        under = ArticlePage.terms.through.objects.filter(articlepage__in=resources)
        return Term.objects.filter(pk__in=under.values("term"), facet__slug__in=Facet.slugs_at_signup())

    @property
    def preview_sizes(self) -> list[dict[str, Any]]:
        """Wagtail's own sizes, and the width of a mail."""
        mail = {"name": "mail", "icon": "mail", "device_width": 600, "label": _("Mail, 600 px")}
        return [*super().preview_sizes, mail]

    def get_preview_template(self, request: HttpRequest, mode_name: str) -> str:
        page: str = super().get_preview_template(request, mode_name)
        return f"newsletter/preview_{mode_name.partition('-')[0]}.html" if mode_name else page

    def get_preview_context(self, request: HttpRequest, mode_name: str) -> dict[str, Any]:
        return {**super().get_preview_context(request, mode_name), "choice": mode_name.partition("-")[2]}

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponseBase:
        """Let a mail show its own styles, which no page of the site may have."""
        answer: HttpResponseBase = super().serve_preview(request, mode_name)
        return csp_update({"style-src": UNSAFE_INLINE})(lambda _request: answer)(request) if mode_name else answer

    def set_url_path(self, parent: Page | None) -> str:
        """Put `issues/` between the newsletter's page and the issue's slug."""
        path: str = super().set_url_path(parent)
        if parent is not None:
            self.url_path = path = f"{parent.url_path}{ISSUES}/{self.slug}/"
        return path
