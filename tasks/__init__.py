"""The steps: one piece of I/O each, visible in the Prefect UI; rules are in domain/, SQL in db/."""
