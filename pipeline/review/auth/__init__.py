"""Who may come in: sessions, accounts, invitations, and the checks that every request passes."""
