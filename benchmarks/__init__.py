"""The hot paths measured against named limits, in one run on one machine."""
