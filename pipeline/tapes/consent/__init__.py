"""The client's permission: what it allows, to whom, until when."""
