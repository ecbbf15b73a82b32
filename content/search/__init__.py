"""The readers' search: what a list can be asked, what it answers, and the index behind it.

`questions` reads what a reader asks, `facets` knows what each list can be narrowed by, `results` answers with the
one statement of `fulltext`; `index` keeps what is searched true. All of them speak in the stems of `words`.
"""

from content.search.facets import of_resources, of_stories
from content.search.index import follow, follow_lock, follow_move, rebuild, rebuild_if_outdated
from content.search.questions import PAGE_SIZE, Question, Sort, read
from content.search.results import Results, find

__all__ = [
    "PAGE_SIZE",
    "Question",
    "Results",
    "Sort",
    "find",
    "follow",
    "follow_lock",
    "follow_move",
    "of_resources",
    "of_stories",
    "read",
    "rebuild",
    "rebuild_if_outdated",
]
