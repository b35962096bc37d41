"""The workbench of the staff: what is due, the ticket at hand, the callbacks, the board of the supervisor."""
