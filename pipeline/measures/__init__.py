"""What the codes add up to: pure functions, tables in, tables out.

::

    table        the coded table as all of these read it
    counts       how often each code counts, by the codebook's rule
    intervals    codes drawn from the tags' probabilities
    figures      ratios, counts, OARS and talk time, each with its interval: measures.json
    context      what the interviewer said before and after change talk; what follows what
    trajectory   readiness over the session and its turning points
    strengths    what went well, as far as the tags can tell
    doubts       which tags to check first
"""
