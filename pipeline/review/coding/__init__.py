"""The coding page: codes as events, corrections as overlays, blind passes, masked names and the sound.

::

    routes, page_state            the coding page, and its state as JSON
    rating_routes, name_routes    the pages of the global ratings and of the names on a tape
    notes, note_routes            notes on a moment; the page that plays one
    change_requests               changes as a page sends them
    code_events                   codes are events; an utterance's codes are folded from them       (pure)
    passes                        start a pass, store its codes, lock it
    corrections                   corrections are overlays; the transcript with them applied        (pure)
    correction_store              which corrections are permitted, and storing each once
    transcripts, masks            the transcript that a viewer may see; masked names
    name_detection                names that may have to be masked
    observer_tasks                what an observer listens for                                      (pure)
    pretag_hiding                 utterances that are coded without the machine's suggestion        (pure)
    shortcuts                     one key per code, one key per command, and a person's own choice
    codebooks                     codebooks that a pass can use
    global_ratings, miti_summary  MITI's global ratings and summary
    current_measures              a tape's measures as they stand for a viewer
    downloads, sound              own codes as CSV and WebVTT; the sound as WAV
"""
