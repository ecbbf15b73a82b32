"""Words: one analyser for what is written and for what is asked, the same on every database."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version as package_version
from pathlib import Path
from threading import local
from typing import Any

import snowballstemmer

from content import text_cleaning
from content.languages import codes as site_languages
from content.text_cleaning import INVISIBLE, fold

VOCABULARY = json.loads(Path(__file__).with_name("vocabulary.json").read_text())
"""Language -> its small words, left out of questions but never out of the index; its synonyms."""

STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""Language -> Snowball's name for its stemmer; in the others a word is its own stem."""

LONGEST_WORD = 40
MOST_WORDS_ASKED = 16
MOST_WORDS_WRITTEN = 20_000

# Figures stand apart from letters, so that “K12”, “K-12” and “k 12” are the same words.
WORD = re.compile(r"[^\W\d_]+|\d+")
# Straight, curly, turned, as a letter, and the accents that are typed in its place.
APOSTROPHE = re.compile("['\\u2018\\u2019\\u02bb\\u02bc`\\u00b4](?:s\\b)?")
QUOTED_OR_BARE = re.compile('["“”„«»]([^"“”„«»]*)["“”„«»]|([^\\s"“”„«»]+)')

Stems = tuple[str, ...]


@dataclass(frozen=True)
class Clause:
    """One thing that must be found: any of these sequences of stems, each side by side."""

    sequences: tuple[Stems, ...]


class _Stemmers(local):
    """Snowball's stemmers hold the word they work on, so each thread has its own."""

    def __init__(self) -> None:
        self.by_language: dict[str, Any] = {}

    def stemmer(self, language: str) -> Any:
        """The stemmer of a language, or of the one it is a variant of; None where Snowball has none."""
        if language not in self.by_language:
            name = STEMMERS.get(language.split("-")[0], "")
            known = name in snowballstemmer.algorithms()
            self.by_language[language] = snowballstemmer.stemmer(name) if known else None
        return self.by_language[language]


_stemmers = _Stemmers()


def plain(text: str) -> list[str]:
    """The words of a text: folded as `fold` does, letters and figures apart. An invisible sign splits no word."""
    return [word[:LONGEST_WORD] for word in WORD.findall(fold(APOSTROPHE.sub("", INVISIBLE.sub("", text))))]


def version() -> str:
    """A name for the way words are written into the index: it differs as soon as anything that decides it does."""
    deciding = [Path(__file__), Path(__file__).with_name("vocabulary.json"), Path(text_cleaning.__file__)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in deciding))
    digest.update(f"{package_version('snowballstemmer')} {unicodedata.unidata_version}".encode())
    digest.update(" ".join(site_languages()).encode())  # a language that comes back brings its pages with it
    return digest.hexdigest()[:32]


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """The stem of a plain word; the word itself in a language we have no stemmer for."""
    stemmer = _stemmers.stemmer(language)
    return str(stemmer.stemWord(word)) if stemmer else word


def written(text: str, language: str) -> str:
    """What the index keeps of a text: its stems in order, separated by spaces."""
    return " ".join(stem(word, language) for word in plain(text)[:MOST_WORDS_WRITTEN])


def asked(question: str, languages: Collection[str]) -> list[Clause]:
    """What a question asks for; every clause must be found.

    Quotation marks make a phrase, and so does a hyphen inside a word. Nothing else is an operator. Small words
    count only inside quotation marks, or when there is nothing else.

    Args:
        question: the reader's words, any text.
        languages: codes of the languages that are searched; a word is looked for as each of them would write it.
    """
    parts = [(bool(quoted), plain(quoted or bare)) for quoted, bare in QUOTED_OR_BARE.findall(question)]
    parts = [(is_quoted, words[:MOST_WORDS_ASKED]) for is_quoted, words in parts if words][:MOST_WORDS_ASKED]
    small = {word for language in languages for word in _small_words(language)}
    telling = [words for is_quoted, words in parts if is_quoted or not small.issuperset(words)]
    return [_clause(words, languages) for words in telling or [words for _is_quoted, words in parts]]


def apart(clauses: Iterable[Clause]) -> list[Clause]:
    """The single stems of all clauses, for when nothing answers to all of them together."""
    stems = dict.fromkeys(stem for clause in clauses for sequence in clause.sequences for stem in sequence)
    return [Clause(((stem,),)) for stem in stems]


def _clause(words: list[str], languages: Iterable[str]) -> Clause:
    sequences = [tuple(stem(word, language) for word in words) for language in languages]
    if len(words) == 1:
        meanings = [_synonyms(language).get(stem(words[0], language), ()) for language in languages]
        sequences += [(same,) for group in meanings for same in group]
    return Clause(tuple(dict.fromkeys(sequences)))


def _vocabulary(language: str) -> dict[str, Any]:
    own: dict[str, Any] = VOCABULARY.get(language) or VOCABULARY.get(language.split("-")[0], {})
    return own


@cache
def _small_words(language: str) -> frozenset[str]:
    return frozenset(_vocabulary(language).get("small_words", "").split())


@cache
def _synonyms(language: str) -> dict[str, tuple[str, ...]]:
    """Stem -> the stems that mean the same."""
    groups = _vocabulary(language).get("synonyms", [])
    stems = [tuple(dict.fromkeys(written(group, language).split())) for group in groups]
    return {one: group for group in stems for one in group}
