"""Our own illustrations, drawn from a few shapes: `python -m content.demo.drawing` draws them all again."""
