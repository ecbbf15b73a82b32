"""How others send the same mail, each in a process of its own: run by bench_mail.py.

`python peers.py django|django-newsletter FOLDER PORT NUMBER`: FOLDER holds `mail.json` with subject, text and html, and
`{{ link }}` in them where the address to unsubscribe stands. Prints the seconds that sending took, and its CPU seconds.
Knows nothing of this project, whose package of the same name would hide django-newsletter's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import django
from django.conf import settings

peer, folder, port, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
mail = json.loads((folder / "mail.json").read_text())
apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites"]
if peer == "django-newsletter":
    apps += ["django.contrib.sessions", "django.contrib.messages", "django.contrib.admin", "newsletter"]
    templates = folder / "templates" / "newsletter" / "message"
    templates.mkdir(parents=True, exist_ok=True)
    (templates / "message_subject.txt").write_text(mail["subject"])
    (templates / "message.txt").write_text(mail["text"])
    (templates / "message.html").write_text(mail["html"])

settings.configure(
    SECRET_KEY="benchmark",
    INSTALLED_APPS=apps,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / f"{peer}.sqlite3")}},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [str(folder / "templates")],
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    ROOT_URLCONF="newsletter.urls" if peer == "django-newsletter" else "",
    EMAIL_HOST="127.0.0.1",
    EMAIL_PORT=port,
    SITE_ID=1,
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SILENCED_SYSTEM_CHECKS=["newsletter.W001"],
)
django.setup()


def with_django() -> None:
    """Django's own mail: one connection, a message rendered and built for each recipient."""
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.template import Context, Template

    text, html = Template(mail["text"]), Template(mail["html"])
    with get_connection() as connection:
        for place in range(number):
            link = f"http://127.0.0.1/unsubscribe/{place:032d}/"
            message = EmailMultiAlternatives(
                mail["subject"],
                text.render(Context({"link": link})),
                "news@example.com",
                [f"reader{place}@load.test"],
                headers={"List-Unsubscribe": f"<{link}>"},
                connection=connection,
            )
            message.attach_alternative(html.render(Context({"link": link})), "text/html")
            message.send()


def with_django_newsletter() -> None:
    """django-newsletter's `Submission.submit()`, as its command to submit calls it."""
    submission = submission_for(number)
    global started
    started = now()
    submission.submit()


def submission_for(number: int):
    """A message and its confirmed subscribers."""
    from django.core.management import call_command

    from newsletter.models import Message, Newsletter, Submission, Subscription

    call_command("migrate", verbosity=0)
    letter = Newsletter.objects.create(title="News", slug="news", email="news@example.com", sender="News")
    Subscription.objects.bulk_create(
        Subscription(newsletter=letter, email_field=f"reader{place}@load.test", subscribed=True)
        for place in range(number)
    )
    message = Message.objects.create(title="Issue", slug="issue", newsletter=letter)
    submission = Submission.from_message(message)
    submission.prepared = True
    submission.save()
    return submission


def now() -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime


started = now()
with_django() if peer == "django" else with_django_newsletter()
ended = now()
print(json.dumps({"seconds": ended[0] - started[0], "cpu": ended[1] - started[1]}))
