"""The whole site's addresses on one page."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path, re_path, register_converter
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from content import api, feeds, patterns, sitemap, views
from newsletter import links
from newsletter.views import mailbox, private, subscribing, webhooks
from resource_center import health, throttling
from resource_center.media import media

handler500 = "resource_center.errors.server_error"
register_converter(links.Token, "token")

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", include(wagtailadmin_urls)),
    path("api/v2/", api.router.urls),
    path("documents/authenticate_with_password/<int:restriction_id>/", throttling.document_password),
    path("documents/", include(wagtaildocs_urls)),
    path("mailbox/", mailbox.index, name="mailbox"),
    path("mailbox/<str:key>/", mailbox.show, name="mailbox_mail"),
    path("mailbox/<str:key>/html/", mailbox.html, name="mailbox_html"),
    path("mailbox/<str:key>/text/", mailbox.text, name="mailbox_text"),
    path("mailbox/<str:key>/headers/", mailbox.headers, name="mailbox_headers"),
    path("mailbox/<str:key>/raw/", mailbox.raw, name="mailbox_raw"),
    path("newsletter/webhooks/<str:name>/", webhooks.receive, name="webhook"),
    path("newsletter/webhooks/<str:name>", webhooks.receive),
    path("sitemap.xml", sitemap.sitemap, name="sitemap"),
    path("robots.txt", views.robots, name="robots"),
    path("favicon.ico", views.favicon, name="favicon"),
    path(".well-known/security.txt", views.security, name="security"),
    path(f"{settings.MEDIA_URL.strip('/')}/<path:path>", media, name="media"),
]
if settings.DEBUG:
    urlpatterns.append(path("patterns/", patterns.patterns))
urlpatterns += i18n_patterns(
    path("feeds/resources.<str:form>", feeds.resources, name="feed"),
    path("events/<str:slug>/event.ics", views.event_file, name="event_file"),
    path("partners/<slug:slug>/", views.partner, name="partner"),
    path("image-credits/", views.image_credits, name="image_credits"),
    path("newsletter/subscribe/", subscribing.subscribe, name="newsletter_subscribe"),
    path("newsletter/subscribe", subscribing.subscribe),
    path("newsletter/link/", subscribing.mail_link, name="newsletter_link"),
    path("newsletter/link", subscribing.mail_link),
    path("newsletter/confirm/<token:token>", private.Confirm.as_view(), name="newsletter_confirm"),
    path("newsletter/preferences/<token:token>", private.Preferences.as_view(), name="newsletter_preferences"),
    path("newsletter/unsubscribe/<token:token>", private.Unsubscribe.as_view(), name="newsletter_unsubscribe"),
    path("newsletter/export/<token:token>", private.Export.as_view(), name="newsletter_export"),
    path("newsletter/erase/<token:token>", private.Erase.as_view(), name="newsletter_erase"),
    path("newsletter/copies/<token:token>", private.Copies.as_view(), name="newsletter_copies"),
    re_path("^newsletter/(?:confirm|preferences|unsubscribe|export|erase|copies)/?$", private.lost_token),
    path("_util/authenticate_with_password/<int:page_view_restriction_id>/<int:page_id>/", throttling.page_password),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
