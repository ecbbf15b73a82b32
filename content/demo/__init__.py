"""The demo library: an imaginary network's words and pictures, and the hand that shelves them."""
