"""The review room: the web application in which a group submits, hears, codes and talks about its tapes."""
