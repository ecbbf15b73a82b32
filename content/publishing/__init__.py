"""Publishing: what pages and their drafts name, and what happens when that is deleted.

`references` reads what a page or a draft names, `usage` says where something is shown, `deletion` refuses what
would take something off a live page, `confirmation` shows all of it to editors.
"""
