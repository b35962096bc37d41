"""Schema changes, numbered, each one forward."""
