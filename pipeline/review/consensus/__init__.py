"""The group's codes: where coders agree, and what the group settles."""
