"""The words: one folder per language, in it one folder per message; no sentence for customers or staff lives elsewhere."""
