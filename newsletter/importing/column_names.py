"""What a column is about, judged by its name alone: whether it may say who gets mail, and how its cells are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from newsletter.importing.standing_words import (
    BOUNCED,
    BUTTONDOWN,
    COMPLAINED,
    IGNORE,
    PENDING,
    UNSUBSCRIBED,
    plain,
    words_of,
)


class Kind(Enum):
    """How the cells of a column are read."""

    WORDS = "words"
    """Words for a standing."""
    YES_MEANS = "yes means"
    """Yes, or a date, means the standing; words are understood as well."""
    NO_MEANS = "no means"
    """No means the standing; words are understood as well."""
    EVIDENCE = "evidence"
    """Anything at all means the standing: a reason, a date, a campaign."""
    LABELS = "labels"
    """Notes and tags: a clear word of leaving among them counts, everything else is about something else."""
    SILENT = "silent"
    """Nothing in it is about mail."""


@dataclass(frozen=True)
class Meaning:
    """What the name of a column lets expect of its cells."""

    kind: Kind
    standing: str = IGNORE
    """What yes, no or anything means, as the kind says."""
    blank: str = IGNORE
    """What an empty cell means, where others are filled."""
    weak: bool = False
    """The name alone proves nothing: the column counts once a cell is understood."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words of its own."""


SILENT = Meaning(Kind.SILENT)
LABELS = Meaning(Kind.LABELS)
PLACE = Meaning(Kind.WORDS, weak=True)
"""`state` and `estado`: a standing, or a part of a country."""
SUBSCRIBER_TYPE = Meaning(Kind.WORDS, weak=True, words=BUTTONDOWN)
CONSENT = Meaning(Kind.NO_MEANS, UNSUBSCRIBED)
"""Words that somebody agreed to; only a plain no says something else."""

KNOWN = {
    **dict.fromkeys(("state", "estado", "etat"), PLACE),
    **dict.fromkeys(("type", "tipo", "subscriber type"), SUBSCRIBER_TYPE),
    "consent": CONSENT,
    # Ghost takes an empty cell for a subscriber.
    "subscribed to emails": Meaning(Kind.NO_MEANS, UNSUBSCRIBED),
    # Brevo: a choice of two numbers, empty for who came by another way.
    "double opt in": Meaning(Kind.NO_MEANS, PENDING, words={"1": IGNORE, "2": PENDING}),
    **dict.fromkeys(("opt in", "optin"), Meaning(Kind.NO_MEANS, UNSUBSCRIBED)),
    # Constant Contact leaves the cell empty where nobody gave a permission.
    **dict.fromkeys(("email status", "email permission status"), Meaning(Kind.WORDS, blank=PENDING)),
    "receiving emails for": Meaning(Kind.EVIDENCE, IGNORE, blank=UNSUBSCRIBED),
    # About money, a price or somebody's work, not about mail.
    **dict.fromkeys(
        (
            "active subscription", "marketing contact status", "lead status", "lifecycle stage", "prefer digests",
            "optedin", "did this subscriber manually confirm", "complimentary plan", "subscription tier",
        ),
        SILENT,
    ),
    # Ours, beside `status`: see `newsletter.exporting`.
    **dict.fromkeys(
        (
            "email", "name", "first name", "last name", "language", "role", "grade", "topic", "source",
            "created at", "confirmed at", "ended at",
        ),
        SILENT,
    ),
    **dict.fromkeys(
        (
            "note", "notes", "tag", "tags", "label", "labels", "comment", "comments", "group", "groups", "segments",
            "nota", "notas", "etiqueta", "etiquetas", "notiz", "notizen", "bemerkung", "bemerkungen", "gruppen",
            "remarque", "remarques", "etiquette", "etiquettes", "groupes",
        ),
        LABELS,
    ),
}  # fmt: skip

STATUS = re.compile(r"\b(\w*?)(?:status|statut|estatus|estado|etat|standing|situacion)\b")
# What may stand beside “status”, “confirmed” or “blocked” in a name that is about mail; any other word, such as
# “employment status” or “photo opt-out”, makes it a matter of its own.
OF_MAIL = words_of(
    """
    email e mail emails subscription subscriptions subscriber subscribers subscribed newsletter list lists
    listen liste lista global globaler contact contacts contacto kontakt opt in out optin optout permission
    permissions marketing mailing delivery abo abonnement abonnent abonnenten empfanger versand anmelde
    suscripcion suscriptor suscriptores correo boletin abonne inscription de del la le du l d the my current
    actual aktueller general overall sub is confirmation consent audience
    """
)
AROUND = OF_MAIL | words_of(
    """
    was has have been this user account address marked as reported report flagged all any from our your by to
    of for hard soft portal status id esta ist est por von par durch i we communications communication
    campaigns type
    confirmed manually express implied actif activo activa aktiv
    """
)
# Whose status may be that of a subscription too.
OF_PEOPLE = OF_MAIL | words_of(
    """
    user account member membership profile customer person client
    usuario cuenta miembro socio cliente mitglied mitglieds kunden konto membre compte
    """
)
MAIL = re.compile(
    r"\b(?:e ?mails?|mails?|correos?|newsletters?|boletin(?:es)?|infolettres?|rundbriefe?|mailing lists?)\b"
)
OTHER_CHANNEL = re.compile(
    r"\b(?:sms|whatsapp|phone|telephone|telefono|telefon|mobile|movil|handy|text|texts|push|fax|postal|voice|calls?)\b"
)
COUNTED = re.compile(
    r"\b(?:counts?|counter|number|anzahl|numero|rate|tasa|total|score|percentage|bouncecount|bounces|unsubscribes|"
    r"emails bounced)\b"
)
POINTER = re.compile(r"\b(?:html|format|urls?|links?|enlace|lien|href|token|hash|uuid|id|key)\b")
DETAIL = re.compile(
    r"\b(?:reasons?|motivo|grund|raison|motif|campaign|title|source|method|message|comments?|feedback|category|other|"
    r"at|on|times?|timestamp|dates?|fecha|dia|hora|datum|uhrzeit|zeit|am|le|heure|since|desde|seit|depuis|ip|page|via)\b"
)


@dataclass(frozen=True)
class Named:
    """Words in a name, and the meaning they give it."""

    words: re.Pattern[str]
    meaning: Meaning
    always_of_mail: bool = False
    """They are about mail whatever stands beside them."""


def _named(meaning: Meaning, *words: str, always_of_mail: bool = False) -> Named:
    return Named(re.compile(rf"\b(?:{'|'.join(words)})\b"), meaning, always_of_mail)


LEFT = [
    _named(
        Meaning(Kind.YES_MEANS, BOUNCED),
        r"(?:hard )?bounce[sd]?|hardbounce\w*|bouncing|undeliver\w*|non ?deliverable|cleaned|clean|unreachable|invalid",
        r"rebot\w*|rebotes?",
        r"unzustellbar\w*|zuruckgewiesen",
        r"rebonds?|npai",
    ),
    _named(
        Meaning(Kind.YES_MEANS, COMPLAINED),
        r"complain\w*|spam|junk|abuse|queja|denunciad\w*|beschwerden?|plaintes?",
    ),
    _named(
        Meaning(Kind.YES_MEANS, UNSUBSCRIBED),
        r"unsub\w*|do ?not (?:e ?mail|mail|contact|send)|dnc|no (?:e ?mails?|newsletters?|mailings?)",
        r"e ?mails? disabled",
        r"(?:not|no|nicht|non|pas) (?:subscribed|suscrit[oa]|abonniert|abonnee?|inscrite?)",
        r"desuscri\w*|desubscri\w*|dad[oa] de baja|lista negra",
        r"abgemeldet|abmeld\w*|abbestell\w*",
        r"desinscri\w*|desabonn\w*|liste noire",
        always_of_mail=True,
    ),
    _named(
        Meaning(Kind.YES_MEANS, PENDING),
        r"unconfirmed|(?:not|no|nicht|non|sin) (?:confirmed|confirmad[oa]|confirmar|bestatigt|confirmee?)|unbestatigt",
    ),
    _named(
        Meaning(Kind.YES_MEANS, UNSUBSCRIBED),
        r"opt(?:ed|s)? ?out\w*|black ?list\w*|block ?list\w*|blocked|suppress\w*|withdrawn|revoked",
        r"bajas?|bloquead\w*",
        r"gesperrt\w*|sperr\w*|ausgetragen|gekundigt|widerrufen",
        r"resili\w*",
    ),
    _named(
        Meaning(Kind.YES_MEANS, UNSUBSCRIBED, weak=True),
        r"disabled|deactivated|excluded?|removed|deleted|inactive",
        r"excluid[oa]s?|inactiv[oa]|inaktiv|inactif|exclu|bloque",
    ),
]
JOINED = [
    _named(
        Meaning(Kind.NO_MEANS, UNSUBSCRIBED, blank=PENDING),
        r"subscribed|opt(?:ed|s)? ?in|optin|accepts? (?:the )?(?:e ?mail|marketing|newsletter)\w*",
        r"(?:e ?mail|newsletter|marketing|mailing) (?:permissions?|allowed|accepted)|^permissions?$",
        r"suscrit[oa]s?|suscript[oa]s?|abonniert|abonnee?s?",
        r"(?:can|may|ok|okay|allowed|contact)(?: to| by| via| per)? e ?mail(?:ed)?|e ?mail ok(?:ay)?",
    ),
    _named(
        Meaning(Kind.NO_MEANS, PENDING, blank=PENDING),
        r"confirm(?:ed|ation)?|verified|double opt ?in|confirmad[oa]s?|bestatigt|confirmee?s?",
    ),
    _named(Meaning(Kind.NO_MEANS, BOUNCED, weak=True), r"valid|deliverable|valido|gultig|valide"),
    _named(
        Meaning(Kind.NO_MEANS, UNSUBSCRIBED, blank=PENDING, weak=True),
        r"newsletters?|mailing lists?|^mailings?$|e ?mail (?:updates|list|consent)",
        r"boletin(?:es)?|rundbriefe?|infolettres?",
        r"(?:marketing|newsletter|gdpr) consent|consent given|consentimiento|einwilligung|consentement",
        r"subscription|subscribe|suscripcion|inscrit[oa]s?|angemeldet|abonnement|inscrite?s?",
        r"active|enabled|activ[oa]|aktiv|actif",
        r"(?:receiv\w+|wants?|recib\w+|desea|erhalten|mochte|recevoir|souhaite)\b.*"
        r"\b(?:e ?mails?|news|updates|mailings?|correos?|boletin(?:es)?|noticias|rundbriefe?|infolettres?)",
    ),
]


def meaning_of(title: str) -> Meaning | None:
    """What the name of a column says about it; None when it says nothing, so that only its cells can tell."""
    name = plain(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", title))
    if name in KNOWN:
        return KNOWN[name]
    elsewhere = OTHER_CHANNEL.search(name) and not MAIL.search(name)
    if elsewhere or COUNTED.search(name) or POINTER.search(name):
        return SILENT
    if re.search(r"\bopt(?:ed)? ?in\b.*\bopt(?:ed)? ?out\b", name):
        return Meaning(Kind.WORDS)
    if left := _first(LEFT, name):
        # When, why and by which campaign somebody left: whatever stands there, they did.
        return replace(left, kind=Kind.EVIDENCE) if DETAIL.search(name) else left
    joined = None if DETAIL.search(name) else _first(JOINED, name)
    beside = _beside_status(name)
    if beside is None:
        return joined
    if not beside <= OF_PEOPLE:
        return None  # of something else
    # “Opt-in status” may be a word or a yes.
    is_strong = joined and not joined.weak and beside <= OF_MAIL
    return replace(joined, blank=IGNORE) if joined and is_strong else Meaning(Kind.WORDS, weak=not beside <= OF_MAIL)


def left_by_pointer(title: str) -> Meaning | None:
    """When somebody left, in a column such as “Unsubscribed via link” whose cells are dates; None for others."""
    name = plain(title)
    left = _first(LEFT, name) if POINTER.search(name) else None
    return replace(left, kind=Kind.EVIDENCE) if left else None


def _beside_status(name: str) -> set[str] | None:
    """What stands beside “status” in a name, in a German compound too; None when there is no such word."""
    found = STATUS.search(name)
    if found is None:
        return None
    return {*name[: found.start()].split(), *name[found.end() :].split(), found[1]} - {""}


def _first(choices: list[Named], name: str) -> Meaning | None:
    for choice in choices:
        if found := choice.words.search(name):
            beside = set(DETAIL.sub(" ", f"{name[: found.start()]} {name[found.end() :]}").split())
            if choice.always_of_mail or beside <= AROUND or MAIL.search(name):
                return choice.meaning
    return None
