"""The newsletter in the editors' desk."""
