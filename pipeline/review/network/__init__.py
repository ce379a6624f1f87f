"""How people get to the room: addresses, certificates, and what may come in unencrypted."""
