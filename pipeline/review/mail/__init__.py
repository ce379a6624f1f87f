"""E-mail, if the host set it up: the one thing that leaves the machine, and never with anything of a tape."""
