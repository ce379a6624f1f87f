"""The stand-in for torchaudio's compiled part says that there is none."""

from __future__ import annotations

import pytest

from pipeline.speech.diarization import torchaudio_compat


def test_the_stand_in_has_no_compiled_functions() -> None:
    module = torchaudio_compat._without_compiled_part()
    assert module.__name__ == "torchaudio._extension"
    assert not module._IS_TORCHAUDIO_EXT_AVAILABLE
    assert not module._IS_ALIGN_AVAILABLE
    assert module._check_cuda_version() is None


def test_a_function_of_the_compiled_part_is_refused_when_called() -> None:
    module = torchaudio_compat._without_compiled_part()

    @module.fail_if_no_align
    def forced_align() -> None:
        """Never reached."""

    with pytest.raises(RuntimeError, match="forced_align needs torchaudio's compiled part"):
        forced_align()
