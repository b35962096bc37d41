"""The front door: reads requests, writes rows; sends nothing and runs no flow."""
