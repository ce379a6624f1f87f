"""Measures from coded tables: pure functions, tables in, tables out.

::

    session/      the measures of one tape
        coded_table        the coded table that all of these read
        counts             how a codebook counts, and the counts
        draws              intervals, by drawing codes from the tags' probabilities
        measures           ratios, counts, OARS and talk time, each with its interval: measures.json
        context            the interviewer's utterances around change talk, and transitions between codes
        readiness          readiness over the session and its turning points
        strengths          what went well, as far as the tags show it
        uncertain_tags     which tags to check first
        miti               MITI's scores and totals

    reliability/  how far coders agree
        rating_matrix      the codes of several coders as one grid, and the levels of comparison
        alignment          one set of units for coders who segment a tape differently
        comparisons        who is compared with whom, a coder's earlier pass included
        coefficients       kappa, alpha, AC1, ICC and their like
        bootstrap          intervals over tapes
        agreement          all comparisons in one table, and intraclass correlations of counts per session
        confusions         the pairs of codes on which coders differ
        automation_bias    whether seeing the machine's code influences a coder
        sampling           what to double-code, and how much

    drift/        whether a coder's coding moves
        control_chart      agreement with the reference, tape after tape, and the chart's state
        drift              all charts of a group
        sentences          their results in words
        simulation         how well the charts work, on invented coders
        group_overview     several groups beside each other
"""
