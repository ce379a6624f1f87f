"""`tape-review train` where its packages are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli import train
from pipeline.errors import CodingError


@pytest.mark.parametrize("package", ["onnx", "safetensors"])
def test_a_missing_package_is_told_before_anything_is_learned(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = train.find_spec
    monkeypatch.setattr(train, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(CodingError, match=rf"TR-C08 package {package} is not installed; .*tape-review\[train\]"):
        train.train(tmp_path)
    assert list(tmp_path.iterdir()) == []
