"""Makes ``import pyannote.audio`` work where torchaudio's compiled part does not load.

The wheel of torchaudio is linked to CUDA, so that ``import torchaudio`` fails beside a CPU build of torch.
pyannote.audio needs of it only what is plain Python: resampling and Kaldi's filter banks. Where torchaudio cannot be
imported, its module of compiled functions is replaced by one that says there are none, just as torchaudio itself does
on machines without them.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

_COMPILED = "torchaudio._extension"


def import_pyannote() -> ModuleType:
    """``pyannote.audio``, without telemetry, and without its warning that it decodes no files: we never ask it to."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
    import_torchaudio()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        return importlib.import_module("pyannote.audio")


def import_torchaudio() -> None:
    """Import torchaudio, without its compiled part where that does not load."""
    try:
        importlib.import_module("torchaudio")
    except (ImportError, OSError):
        for module in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[module]
        sys.modules[_COMPILED] = _without_compiled_part()
        importlib.import_module("torchaudio")


def _without_compiled_part() -> ModuleType:
    def refuse_alignment(function: Callable[..., Any]) -> Callable[..., Any]:
        def refused(*_: object, **__: object) -> None:
            raise RuntimeError(f"{function.__name__} needs torchaudio's compiled part")

        return refused

    module = ModuleType(_COMPILED, "Stands in for torchaudio's compiled functions, which do not load on this machine.")
    module.__dict__.update(
        _IS_TORCHAUDIO_EXT_AVAILABLE=False,
        _IS_ALIGN_AVAILABLE=False,
        _check_cuda_version=lambda: None,
        fail_if_no_align=refuse_alignment,
    )
    return module
