"""Full text: the one statement that finds pages, counts them and counts every facet, as each database wants it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection

from content.search.words import Clause, Stems

SHORTEST_BEGINNING = 3
"""Letters that a word needs before it may stand for the longer words that begin with it."""

# What a hit may fail is kept as bits, so that a facet can be counted without its own choice.
WRONG_KIND = 1
WRONG_LANGUAGE = 2
FIRST_FACET = 4

ORDER = "score DESC, date DESC, page_id DESC"


@dataclass(frozen=True)
class Request:
    """What the index is asked."""

    kind: str
    languages: Sequence[str]
    clauses: Sequence[Clause] = ()
    any_clause: bool = False
    """Content with one of the clauses, and a word may stand for those that begin with it."""
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Facet in the index -> slugs, one of which a page must have."""
    ranked: bool = False
    """Best answer first; else newest first."""
    limit: int = 12
    offset: int = 0
    others: int = 0
    """How many pages of other kinds to name beside those asked for."""


@dataclass
class Answer:
    """What the index answers."""

    pages: list[int] = field(default_factory=list)
    """Primary keys, in order."""
    total: int = 0
    holding: int = 0
    """Pages of any kind and language that hold the words, whatever else was asked."""
    others: list[int] = field(default_factory=list)
    """The first few pages of other kinds that hold the words, in the languages asked for."""
    languages: Counter[str] = field(default_factory=Counter)
    facets: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Facet -> slug -> number of pages; like `languages`, without the choices made in that facet itself."""


def ask(request: Request) -> Answer:
    """Ask the index once."""
    statement, parameters = _statement(request)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    answer = Answer()
    for what, name, slug, number, _place in sorted(rows, key=lambda row: int(row[4])):
        match what:
            case "page":
                answer.pages.append(number)
            case "other":
                answer.others.append(number)
            case "total":
                answer.total = number
            case "holding":
                answer.holding = number
            case "language":
                answer.languages[slug] = number
            case _:
                answer.facets[name][slug] = number
    return answer


def _statement(request: Request) -> tuple[str, list[str | int]]:
    failures, failing = _failures(request)
    source, condition, score, expression = matching(request)
    facets = {name: FIRST_FACET << place for place, name in enumerate(request.chosen)}
    own = " ".join(f"OR (h.fails = {bit} AND t.facet = %s)" for bit in facets.values())
    statement = f"""
        WITH hits AS MATERIALIZED (
            SELECT e.page_id, e.kind, e.language, e.date, {score} AS score, {failures} AS fails
            FROM {source} WHERE {condition}
        ), best AS (
            SELECT page_id, score, date FROM hits WHERE fails = 0 ORDER BY {ORDER} LIMIT %s OFFSET %s
        ), others AS (
            SELECT page_id, score, date FROM hits WHERE (fails & {WRONG_KIND + WRONG_LANGUAGE}) = {WRONG_KIND}
            ORDER BY {ORDER} LIMIT %s
        )
        SELECT 'page', '', '', page_id, row_number() OVER (ORDER BY {ORDER}) FROM best
        UNION ALL SELECT 'other', '', '', page_id, row_number() OVER (ORDER BY {ORDER}) FROM others
        UNION ALL SELECT 'total', '', '', count(*), 0 FROM hits WHERE fails = 0
        UNION ALL SELECT 'holding', '', '', count(*), 0 FROM hits
        UNION ALL SELECT 'language', '', h.language, count(*), 0 FROM hits h
            WHERE h.fails IN (0, {WRONG_LANGUAGE}) GROUP BY h.language
        UNION ALL SELECT 'facet', t.facet, t.slug, count(*), 0 FROM hits h
            JOIN content_entryterm t ON t.entry_id = h.page_id WHERE h.fails = 0 {own} GROUP BY t.facet, t.slug
    """  # noqa: S608 (only names and numbers of this file are written into it)
    parameters = [expression] * score.count("%s") + failing + [expression] * condition.count("%s")
    return statement, [*parameters, request.limit, request.offset, request.others, *facets]


def _failures(request: Request) -> tuple[str, list[str | int]]:
    """SQL for the sum of what an entry fails, with its parameters."""
    pieces = [
        f"CASE WHEN e.kind = %s THEN 0 ELSE {WRONG_KIND} END",
        f"CASE WHEN e.language IN ({_places(request.languages)}) THEN 0 ELSE {WRONG_LANGUAGE} END",
    ]
    parameters: list[str | int] = [request.kind, *request.languages]
    for place, (name, slugs) in enumerate(request.chosen.items()):
        chosen = f"SELECT t.entry_id FROM content_entryterm t WHERE t.facet = %s AND t.slug IN ({_places(slugs)})"  # noqa: S608
        pieces.append(f"CASE WHEN e.page_id IN ({chosen}) THEN 0 ELSE {FIRST_FACET << place} END")
        parameters += [name, *slugs]
    return " + ".join(pieces), parameters


def _places(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))


def matching(request: Request) -> tuple[str, str, str, str]:
    """Where to look, the condition, the score, and the expression that both take.

    A title weighs more than a summary, a summary more than terms and names, these more than the body.
    """
    if not request.clauses:
        return "content_searchentry e", "TRUE", "0", ""
    if connection.vendor == "sqlite":
        # CROSS JOIN keeps SQLite from walking the entries first.
        source = "content_searchwords CROSS JOIN content_searchentry e ON e.page_id = content_searchwords.rowid"
        condition, score = "content_searchwords MATCH %s", "-bm25(content_searchwords, 12.0, 5.0, 3.0, 1.0)"
        expression = _expression(request, _fts5_sequence, " OR ", " AND ")
    else:
        source, condition = "content_searchentry e", "e.vector @@ %s::tsquery"
        score = "ts_rank('{0.08, 0.25, 0.42, 1.0}', e.vector, %s::tsquery, 1)"
        expression = _expression(request, _tsquery_sequence, " | ", " & ")
    return source, condition, score if request.ranked else "0", expression


def _expression(request: Request, write: Callable[[Stems, bool], str], either: str, both: str) -> str:
    def sequence(stems: Stems) -> str:
        return write(stems, request.any_clause and len(stems) == 1 and len(stems[0]) >= SHORTEST_BEGINNING)

    clauses = (f"({either.join(sequence(stems) for stems in clause.sequences)})" for clause in request.clauses)
    return (either if request.any_clause else both).join(clauses)


def _fts5_sequence(stems: Stems, may_begin: bool) -> str:
    return f'"{" ".join(stems)}"{"*" if may_begin else ""}'


def _tsquery_sequence(stems: Stems, may_begin: bool) -> str:
    # Stems are letters or figures only (content.search.words), so there is nothing to escape.
    return " <-> ".join(f"'{stem}'" for stem in stems) + (":*" if may_begin else "")
