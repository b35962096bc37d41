"""The rules of the service standard: pure functions of plain values."""
