"""``make chaos``: the shape of ``deployments/compose.yaml`` without containers, under load, while processes are killed."""
