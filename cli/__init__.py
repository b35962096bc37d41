"""What an operator types: every command, and the one place where errors become sentences and exit codes."""
