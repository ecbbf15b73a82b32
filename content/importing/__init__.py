"""Articles from elsewhere: a file is read into an ImportedResource, its pictures are found, a draft page is made.

resource.py says what can be read, html.py and markdown.py read it, credit_lines.py reads captions, pictures.py finds
the files, drafts.py makes the pages, intake.py goes through a folder and gives the receipt.
"""
