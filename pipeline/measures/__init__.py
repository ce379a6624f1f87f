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
    numerals     figures as people read them

and what coders agree on, and whether that drifts::

    panel        the codes of several coders as one grid, at several levels
    alignment    coders who cut the tape differently, brought together by time
    comparison   who is compared with whom (again: a coder with the earlier self)
    coefficients kappa, alpha, AC1 and their like (resampling: their intervals over tapes; sessions: of whole sessions)
    agreement    all comparisons in one table; confusions: what is taken for what
    anchoring    whether seeing the machine's code sways a coder
    chart        agreement with the reference, tape after tape; reading: what it says
    drift        all charts, each read out in a sentence (wording); program: several groups beside each other
    trials       how well the charts work, on invented coders
    sampling     what to double-code, and how much
"""
