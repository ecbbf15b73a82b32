"""The words that other systems write for a person's standing, in English, Spanish, German and French.

All are folded (`content.text_cleaning.fold`), with spaces for hyphens and underscores. Spanish and French words stand
in their masculine form; `standing_of` finds the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from content.text_cleaning import clean_line, fold

CONFIRMED, PENDING, UNSUBSCRIBED, BOUNCED, COMPLAINED, SUPPRESSED = (
    "confirmed", "pending", "unsubscribed", "bounced", "complained", "suppressed",
)  # fmt: skip
IGNORE = "ignore"
"""Says nothing about mail."""
WEIGHTS = (IGNORE, CONFIRMED, PENDING, UNSUBSCRIBED, BOUNCED, COMPLAINED, SUPPRESSED)
"""From what says least against mail to what says most."""
GONE = {UNSUBSCRIBED, BOUNCED, COMPLAINED, SUPPRESSED}


def words_of(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


# Words that mean a standing wherever they fill a cell.
CLEAR = {
    CONFIRMED: """
        subscribed, opted in, confirmed opt in, double opt in
        suscrito, suscripto
        abonniert
        abonne
    """,
    PENDING: """
        unconfirmed, not confirmed, awaiting confirmation, pending confirmation, confirmation pending, unactivated
        sin confirmar, no confirmado, pendiente de confirmacion, pendiente de confirmar
        unbestatigt, nicht bestatigt, bestatigung ausstehend, wartet auf bestatigung
        non confirme, en attente de confirmation
    """,
    UNSUBSCRIBED: """
        unsubscribed, unsubscribe, opted out, optedout, not subscribed, nonsubscribed, non subscribed, never subscribed
        do not mail, do not email, do not contact, global unsubscribe, globally unsubscribed, unsubscribed by us
        desuscrito, desuscripto, desubscrito, dado de baja, no suscrito
        abgemeldet, abbestellt, ausgetragen, nicht abonniert
        desabonne, desinscrit, non abonne, pas abonne, non inscrit
    """,
    BOUNCED: """
        bounced, bouncing, hard bounce, hard bounced, hardbounce, hardbounced, undeliverable, undelivered
        rebotado, rebote duro, rebote permanente
        unzustellbar, nicht zustellbar, gebounced, gebounct
        rebond dur, rebondi, non delivrable, non distribuable, npai
    """,
    COMPLAINED: """
        complained, complaint, complainer, spam complaint, spam report, marked as spam, reported as spam, reported spam
        marcado como spam, denunciado como spam
        als spam markiert, als spam gemeldet, spam gemeldet
        signale comme spam, marque comme spam
    """,
    SUPPRESSED: """
        blocklisted, blacklisted, suppressed, auto suppressed, manually suppressed
        en lista negra
        gesperrt, auf der blacklist
        sur liste noire
    """,
}
# Words that mean a standing in a column that is about one; elsewhere they may mean a job, a course or a price.
IN_CONTEXT = {
    CONFIRMED: """
        active, confirmed, subscriber, opt in, optin, single opt in, implied, express, explicit, granted, allowed, live
        valid, verified, deliverable, regular, premium, soft bounce, soft bounced, soft, catch all, reactivated
        activo, confirmado, inscrito, alta, dado de alta, valido, rebote suave
        aktiv, bestatigt, abonnent, angemeldet, eingetragen, gultig
        actif, active, confirme, inscrit, valide
    """,
    PENDING: """
        pending, waiting, unverified, not verified, not activated, validating, needs attention, awaiting, invited
        pending opt in, opt in pending, no permissions set, no permission set, permissions not set, not set
        temp hold, pending confirm, unpaid, paused
        pendiente, en espera, por confirmar, sin verificar, en pausa
        ausstehend, wartend, schwebend, pausiert, nicht verifiziert, eingeladen
        en attente, a confirmer, non verifie, en pause, invite
    """,
    UNSUBSCRIBED: """
        inactive, opt out, optout, cancelled, canceled, removed, deleted, archived, former, left, disabled, deactivated
        transactional, churned, stopped, dnc, no mail, no email, revoked, withdrawn, declined, objected, expired
        suspended, excluded, gone, refused, denied, not opted in, no permission, unsub, unsubs, removed by admin
        no consent, consent withdrawn, withdrew consent, consent refused, consent revoked, withheld, not given
        sin consentimiento, consentimiento retirado, keine einwilligung, sans consentement
        inactivo, baja, de baja, cancelado, anulado, eliminado, borrado, desactivado, deshabilitado, excluido, retirado
        abmeldung, abbestellung, kundigung
        inaktiv, gekundigt, geloscht, deaktiviert, widerrufen, entfernt, widersprochen, nicht angemeldet, archiviert
        desabonnement, desinscription, inactif, resilie, supprime, desactive, retire, annule, archive, exclu, refuse
    """,
    BOUNCED: """
        cleaned, unreachable, bounce, hard, invalid, invalid email, invalid address, does not exist, not found, held
        rejected, failed, dropped, spamtrap
        invalido, no valido, inexistente, rebote, rechazado, no entregable, inalcanzable
        ungultig, zuruckgewiesen, unerreichbar, abgelehnt
        invalide, injoignable, rebond, rejete
    """,
    COMPLAINED: """
        spam, junk, abuse, abuse complaint, fbl
        queja, quejado, denunciado, correo no deseado
        beschwerde, beschwert
        plainte, indesirable
    """,
    SUPPRESSED: """
        blocked, blacklist, blocklist, block, banned, spammy, malicious
        bloqueado, lista negra, suprimido, vetado
        blockiert, sperrliste
        bloque, liste noire, banni
    """,
    IGNORE: "free, paid, comped, comp, complimentary, gift, gifted, trial, trialed, lifetime, founding",
}
# What Buttondown writes into `type`; elsewhere the same word may mean something else.
BUTTONDOWN = {
    "churning": CONFIRMED, "past due": CONFIRMED, "paused": CONFIRMED, "unactivated": PENDING, "unpaid": PENDING,
    "upcoming": PENDING, "churned": UNSUBSCRIBED, "removed": UNSUBSCRIBED, "unsubscribed": UNSUBSCRIBED,
    "undeliverable": BOUNCED, "complained": COMPLAINED, "spammy": SUPPRESSED, "malicious": SUPPRESSED,
    "blocked": SUPPRESSED,
}  # fmt: skip
# `enabled` says that an account is not blocked, and nothing of what it is subscribed to (listmonk).
UNDECIDED = {"enabled", "habilitado", "aktiviert"}

YES = words_of("yes y true t 1 1.0 on x checked si s verdadero cierto ja j wahr oui o vrai ✓ ✔ ☑ ✅ √")
NO = words_of("no n false f 0 0.0 off unchecked never none falso nein falsch non faux nunca nie jamais ✗ ✘ ☐ ❌ ✖")
EMPTY = {"", "-", "–", "—", "n/a", "na", "null", "nil", "(blank)", "#n/a", ".", "[]", "{}"}
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\b(?:19|20)\d\d\b|\d{9,13}$")
ZERO_DATE = re.compile(r"[0\s:./T-]*0000[0\s:./TZ-]*$")


def plain(text: str) -> str:
    """A title or cell as its words are compared: folded, one space for anything that is neither letter nor figure."""
    return " ".join(re.findall(r"[^\W_]+", fold(clean_line(text))))


def is_empty(text: str) -> bool:
    return fold(clean_line(text)) in EMPTY


def yes_or_no(text: str) -> bool | None:
    """What a ticked box or a date says; None for anything else. A date of noughts is how MySQL writes “never”."""
    sign = fold(clean_line(text))
    if sign in NO or ZERO_DATE.match(sign):
        return False
    return True if sign in YES or DATE.search(sign) else None


@lru_cache(maxsize=10_000)
def standing_of(text: str, *, clear_only: bool = False) -> str | None:
    """The standing a word means, or None. What goes on after a clear word of leaving means the same.

    Args:
        text: a cell.
        clear_only: leave out the words that mean a standing only where a column is about one.
    """
    if known := word_standing(text, clear_only=clear_only):
        return known
    word = plain(text)
    first = word.split(" ", 1)[0]
    begun = CLEAR_WORDS.get(first) if first != word and not clear_only else None
    return begun if begun in GONE else None


def word_standing(text: str, *, clear_only: bool = False) -> str | None:
    """The standing that a cell's words as a whole mean, or None; arguments as for `standing_of`."""
    word = plain(text)
    for known in [CLEAR_WORDS] if clear_only else [CLEAR_WORDS, CONTEXT_WORDS]:
        for form in (word, _masculine_spanish(word), _masculine_french(word)):
            if form in known:
                return known[form]
    return None


def _masculine_spanish(words: str) -> str:
    return re.sub(r"(\w{3,})(?:as|os|a)\b", r"\1o", words)


def _masculine_french(words: str) -> str:
    return re.sub(r"(\w{3,}?)(?:ees|ee|es|e|s)\b", r"\1", words)


def _table(words: Mapping[str, str]) -> dict[str, str]:
    """Word -> standing, also under the forms that `standing_of` reduces a word to."""
    listed = {
        word.strip(): standing
        for standing, text in words.items()
        for word in text.replace("\n", ",").split(",")
        if word.strip()
    }
    forms = (_masculine_spanish, _masculine_french)
    return {form(word): standing for form in forms for word, standing in listed.items()} | listed


CLEAR_WORDS, CONTEXT_WORDS = _table(CLEAR), _table(IN_CONTEXT)
