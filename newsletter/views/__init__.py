"""What the newsletter shows on the web."""
