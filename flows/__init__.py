"""When, and in which order: each flow reads like its paragraph of the service standard."""
