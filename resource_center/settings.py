"""All settings in one file; every difference between machines comes from the environment or `.env`.

Names, defaults and rules stand in preflight.py, and in words in docs/contract.md. A value that can not
work raises ImproperlyConfigured with one line that names the setting.
"""

import ipaddress
import logging
import os
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured

from resource_center import broker, logs, preflight

BASE_DIR = preflight.BASE_DIR
try:
    env = preflight.environment()
except preflight.BrokenSetting as error:
    raise ImproperlyConfigured(str(error)) from None
DATA_DIR = preflight.data_dir(env)
if problem := preflight.unwritable(DATA_DIR):
    raise ImproperlyConfigured(problem)

# --- The site and its addresses
DEBUG = env["DEBUG"].lower() in preflight.TRUE
SECRET_KEY = env["SECRET_KEY"]
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is missing: set it to a long random value (`make demo` makes one).")
SECRET_KEY_FALLBACKS = preflight.words(env["SECRET_KEY_FALLBACKS"])
BIND = env["BIND"]
PORT = int(env["PORT"])
SITE_URL = preflight.site_url(env)
SITE_HOST = urlsplit(SITE_URL).hostname or ""
HTTPS = SITE_URL.startswith("https://")
ALLOWED_HOSTS = [*(preflight.words(env["ALLOWED_HOSTS"]) or [preflight.bracketed(SITE_HOST)])]
ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
TRUSTED_PROXIES = preflight.words(env["TRUSTED_PROXIES"])
EMBED_ORIGINS = preflight.words(env["EMBED_ORIGINS"])
WAGTAIL_SITE_NAME = "Resource Center"
WAGTAILADMIN_BASE_URL = SITE_URL

INSTALLED_APPS = [
    "resource_center.apps.ResourceCenterConfig",
    "newsletter.apps.NewsletterConfig",
    "content.apps.ContentConfig",
    "wagtail.contrib.redirects",
    "wagtail.contrib.search_promotions",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.typed_table_block",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail.api.v2",
    "wagtail.locales",
    "wagtail",
    "modelcluster",
    "taggit",
    "rest_framework",
    "django_tasks",
    "django_structlog",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.sitemaps",
    "django.contrib.postgres",
]
MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "resource_center.middleware.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "resource_center.middleware.KnownEncodings",
    "resource_center.middleware.LanguageByAddress",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "content.doors.RefusalAnswers",
    "content.publishing.confirmation.DeletionPages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "resource_center.middleware.EditorsDeskPolicy",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "resource_center.throttling.TooManyAttemptsAnswers",
]
ROOT_URLCONF = "resource_center.urls"
WSGI_APPLICATION = "resource_center.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
            ]
        },
    }
]

# --- Where things are kept
DATABASES = {"default": environ.Env.db_url_config(env["DATABASE_URL"] or f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # One writer at a time, taken at BEGIN: a read that turns into a write can not fail half-way.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env["REDIS_URL"] or broker.embedded_url(DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "resource_center.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
        "KEY_PREFIX": "site",
    }
}
MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = "/media/"
STATIC_ROOT = DATA_DIR / "static"
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "resource_center.media.MediaStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Work in the background
CELERY_BROKER_URL = broker.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# One second try at once, for a connection that a restarted broker has closed; then the caller goes on.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3  # seconds that running tasks get to end
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 3,
    "socket_connect_timeout": 3,
    **CELERY_TASK_PUBLISH_RETRY_POLICY,
}
CELERY_TIMEZONE = env["TIME_ZONE"]
CELERY_BEAT_SCHEDULER = "resource_center.beat:Clockwork"
HEARTBEAT_TIMEOUT = int(env["HEARTBEAT_TIMEOUT"])  # seconds
HEARTBEAT_EVERY = min(10.0, HEARTBEAT_TIMEOUT / 5)
# Seconds until a clock that was set right is noticed; and beat's loop turns as often as it must.
CELERY_BEAT_MAX_LOOP_INTERVAL = min(60, HEARTBEAT_TIMEOUT / 4)
CELERY_BEAT_SCHEDULE = {
    "tick": {"task": "newsletter.tasks.tick", "schedule": 60.0},
    "draft-digest": {"task": "newsletter.tasks.draft_digest", "schedule": crontab(minute=0, hour=6, day_of_month="1")},
    "draw-renditions": {"task": "content.tasks.draw_renditions", "schedule": 60.0},
    "poll-bounces": {"task": "newsletter.tasks.poll_bounces", "schedule": 180.0},
    "publish-scheduled": {"task": "content.tasks.publish_scheduled", "schedule": 60.0},
}

# --- Mail
SMTP_URLS = env["SMTP_URL"].split()
ESP = env["ESP"]
MAIL_FROM = env["MAIL_FROM"]
MAIL_REPLY_TO = env["MAIL_REPLY_TO"]
MAIL_POSTAL_ADDRESS = env["MAIL_POSTAL_ADDRESS"]
BOUNCE_DOMAIN = env["BOUNCE_DOMAIN"]
BOUNCE_MAILBOX_URL = env["BOUNCE_MAILBOX_URL"]
UNCERTAIN_DELIVERIES = env["UNCERTAIN_DELIVERIES"]
DOMAIN_LIMITS = preflight.read_domain_limits(env["DOMAIN_LIMITS"])
MAIL_WARM_UP = preflight.read_warm_up(env["MAIL_WARM_UP"])
DKIM_KEY_FILE = BASE_DIR / env["DKIM_KEY_FILE"] if env["DKIM_KEY_FILE"] else None
DKIM_SELECTOR = env["DKIM_SELECTOR"]
DKIM_DOMAIN = env["DKIM_DOMAIN"]
MAILBOX_DIR = DATA_DIR / "mailbox"
LOCAL_MAILBOX = not SMTP_URLS and not ESP
# Only the demo of the person at this machine: start.py says so to its own children, and no file can.
MAILBOX_WITHOUT_LOGIN = (
    os.environ.get(preflight.STARTED_AS) == "demo" and ipaddress.ip_address(BIND).is_loopback and not env["SITE_URL"]
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = MAIL_FROM or "webmaster@localhost"
EMAIL_USE_LOCALTIME = True  # the organization's hours, as in all other mail
EMAIL_BACKEND = "newsletter.accounts.LedgerBackend"
WAGTAILADMIN_USER_PASSWORD_RESET_FORM = "newsletter.accounts.PasswordResetForm"  # noqa: S105
provider_keys = {name: env[name] for provider in preflight.PROVIDERS.values() for name in provider.keys if env[name]}
ANYMAIL: dict[str, Any] = {
    "MANDRILL_WEBHOOK_URL": f"{SITE_URL}/newsletter/webhooks/mandrill/",
    **provider_keys,
    # Seconds to connect, and to wait for an answer: whoever hangs up too early sends twice.
    "REQUESTS_TIMEOUT": (10, 120),
    "AMAZON_SES_CLIENT_PARAMS": {
        "region_name": env["AWS_DEFAULT_REGION"],
        # A library that tries again by itself would do so behind the ledger's back.
        "config": {"connect_timeout": 10, "read_timeout": 120, "retries": {"total_max_attempts": 1}},
        **{name.lower(): env[name] for name in preflight.AWS_CREDENTIALS if env[name]},
    },
}
if env["ANYMAIL_WEBHOOK_SECRET"]:
    ANYMAIL["WEBHOOK_SECRET"] = preflight.words(env["ANYMAIL_WEBHOOK_SECRET"])

# --- Logs
LOGGING = logs.configuration(env["LOG_FORMAT"].lower(), env["LOG_LEVEL"].upper())
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # Whose address it was is nobody's business.
DJANGO_STRUCTLOG_USER_ID_FIELD = ""  # Looking for the user would read the session of every request.
# Not an access log: failures are logged with their traceback, answers of any status are not.
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_5XX_LOG_LEVEL = logging.INFO

# --- Languages and time
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [
    (code, LANG_INFO[code]["name_local"][0].upper() + LANG_INFO[code]["name_local"][1:])
    for code in preflight.read_languages(env["LANGUAGES"])
]
LANGUAGE_CODE = LANGUAGES[0][0]
LOCALE_PATHS = [BASE_DIR / "locale"]
WAGTAIL_I18N_ENABLED = True
USE_I18N = True
TIME_ZONE = env["TIME_ZONE"]
USE_TZ = True
FORMAT_MODULE_PATH = "resource_center.formats"  # Every hour is shown with its zone.
WAGTAIL_USER_TIME_ZONES = [TIME_ZONE]  # Nobody has one of their own: a typed hour means the same for all.

# --- Wagtail
WAGTAILIMAGES_IMAGE_MODEL = "content.CreditedImage"
WAGTAILIMAGES_IMAGE_FORM_BASE = "content.forms.works.ImageForm"
WAGTAILDOCS_DOCUMENT_MODEL = "content.CreditedDocument"
WAGTAILDOCS_DOCUMENT_FORM_BASE = "content.forms.works.DocumentForm"
WAGTAILIMAGES_EXTENSIONS = ["avif", "gif", "jpg", "jpeg", "png", "svg", "tif", "tiff", "webp"]
if find_spec("pi_heif"):
    WAGTAILIMAGES_EXTENSIONS += ["heic", "heif"]
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 50_000_000
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 20 * 1024 * 1024  # bytes
WAGTAILDOCS_EXTENSIONS = ["csv", "docx", "epub", "key", "odp", "odt", "pdf", "pptx", "rtf", "txt", "xlsx", "zip"]
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "content.desk_search"}}
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []
WAGTAILAPI_LIMIT_MAX = 100
WAGTAIL_ENABLE_UPDATE_CHECK = False  # An editor's browser asks nobody else.
WAGTAIL_GRAVATAR_PROVIDER_URL = None
TASKS = {"default": {"BACKEND": "resource_center.tasks_backend.CeleryBackend"}}

# --- Safety
AUTHENTICATION_BACKENDS = ["resource_center.throttling.ThrottledLogin", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SECURE_SSL_REDIRECT = HTTPS
# A redirected POST loses its body, and mail programs follow no redirect to unsubscribe.
SECURE_REDIRECT_EXEMPT = [r"^([a-z]{2,3}(-[a-z]+)?/)?newsletter/", r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin/",),  # EditorsDeskPolicy has one of its own.
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-src": [SELF, "https://www.youtube-nocookie.com", "https://player.vimeo.com"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    },
}
