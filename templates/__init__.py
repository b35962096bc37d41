"""The words: a folder per language, in it a folder per message; no sentence for people lives elsewhere."""
