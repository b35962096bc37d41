"""The doors out: one file per transport; here the mailbox, which needs no account."""
