"""How others send the same mail, each in a process of its own: run by bench_mail.py.

Each keeps it as its projects do. With Django's mail, templates loop over the month's stories. With django-newsletter
the stories are its articles, which its template puts into a frame, and as in its own templates the text is what remains
of their HTML without tags.

`python peers.py django|django-newsletter FOLDER PORT NUMBER DATABASE`: FOLDER holds `mail.json` with subject, headers,
text and html, and `{{ link }}` in them where a reader's own links stand; DATABASE is a URL, and on PostgreSQL the
peer's tables are in a schema of their own. Prints the seconds that sending took, and its CPU seconds. Knows nothing of
this project, whose package of the same name would hide django-newsletter's.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

import django
import environ
from django.conf import settings

STORY = re.compile(r'<h3[^>]*><a href="([^"]+)"[^>]*>([^<]+)</a></h3>\n<p class="summary"[^>]*>([^<]+)</p>')
FIELDS = ("url", "title", "summary")

peer, folder, port, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
database = environ.Env.db_url_config(sys.argv[5])
is_postgres = database["ENGINE"] == "django.db.backends.postgresql"
if is_postgres:
    database["OPTIONS"] = {"options": "-c search_path=peer"}
mail = json.loads((folder / "mail.json").read_text())
stories = [dict(zip(FIELDS, facts, strict=True)) for facts in STORY.findall(mail["html"])]


def cut(words: str, starts: list[int], end: str) -> tuple[str, list[str], str]:
    """What stands before the stories, each of them, and what stands behind."""
    ends = [*starts[1:], words.index(end, starts[-1])]
    return words[: starts[0]], [words[a:b] for a, b in zip(starts, ends, strict=True)], words[ends[-1] :]


def row(story: dict[str, str]) -> int:
    """Where the table row of a story begins."""
    return mail["html"].rindex('<tr>\n<td class="edge"', 0, mail["html"].index(story["title"]))


HEAD, ROWS, FOOT = cut(mail["html"], [row(story) for story in stories], '<tr>\n<td class="gap"')
BEFORE, TEXTS, AFTER = cut(mail["text"], [mail["text"].index(story["title"]) for story in stories], "-----")
for story, text in zip(stories, TEXTS, strict=True):
    story["wrapped"] = text.partition("\n")[2].rpartition("\nRead")[0]


def generic(words: str, story: dict[str, str]) -> str:
    """The same with fields where this story's facts stood."""
    for field in FIELDS:
        words = words.replace(story[field], f"{{{{ story.{field} }}}}")
    return words.replace(story["wrapped"], "{{ story.wrapped }}")


apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites"]
if peer == "django-newsletter":
    apps += ["django.contrib.sessions", "django.contrib.messages", "django.contrib.admin", "newsletter"]
    templates = folder / "templates" / "newsletter" / "message"
    templates.mkdir(parents=True, exist_ok=True)
    link = "{{ site_url }}{{ subscription.unsubscribe_activate_url }}"
    loop = "{%% for article in message.articles.all %%}%s{%% endfor %%}"
    html = HEAD + loop % "{{ article.text|safe }}" + FOOT
    text = BEFORE + loop % "{{ article.text|striptags|safe }}" + AFTER
    (templates / "message_subject.txt").write_text(mail["subject"])
    (templates / "message.txt").write_text(text.replace("{{ link }}", link))
    (templates / "message.html").write_text(html.replace("{{ link }}", link))

settings.configure(
    SECRET_KEY="benchmark",
    INSTALLED_APPS=apps,
    DATABASES={"default": database},
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
    NEWSLETTER_THUMBNAIL="sorl-thumbnail",
    NEWSLETTER_USE_HTTPS=True,
)
django.setup()


def with_django() -> None:
    """Django's own mail: one connection, a message rendered and built for each recipient."""
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.core.signing import Signer
    from django.template import Context, Template

    loop = "{%% for story in stories %%}%s{%% endfor %%}"
    first, other = generic(ROWS[0], stories[0]), generic(ROWS[1], stories[1])
    either = f"{{% if forloop.first %}}{first}{{% else %}}{other}{{% endif %}}"
    html = Template(HEAD + loop % either + FOOT)
    text = Template(BEFORE + loop % generic(TEXTS[0], stories[0]) + AFTER)
    signer = Signer()
    with get_connection() as connection:
        for place in range(number):
            link = f"https://news.example.org/unsubscribe/{signer.sign(f'{place:032d}')}/"
            message = EmailMultiAlternatives(
                mail["subject"],
                text.render(Context({"stories": stories, "link": link})),
                "news@example.com",
                [f"reader{place}@load.test"],
                headers={name: words.replace("{{ link }}", link) for name, words in mail["headers"].items()},
                connection=connection,
            )
            message.attach_alternative(html.render(Context({"stories": stories, "link": link})), "text/html")
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
    from django.db import connection

    from newsletter.models import Article, Message, Newsletter, Submission, Subscription

    if is_postgres:
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS peer CASCADE")
            cursor.execute("CREATE SCHEMA peer")
    call_command("migrate", verbosity=0)
    letter = Newsletter.objects.create(title="News", slug="news", email="news@example.com", sender="News")
    Subscription.objects.bulk_create(
        Subscription(newsletter=letter, email_field=f"reader{place}@load.test", subscribed=True)
        for place in range(number)
    )
    message = Message.objects.create(title="Issue", slug="issue", newsletter=letter)
    for story, words in zip(stories, ROWS, strict=True):
        Article.objects.create(post=message, title=story["title"], text=words)
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
