"""History played through the product: a foreign event log becomes commands and due sweeps, as if it happened now."""
