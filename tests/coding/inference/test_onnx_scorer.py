"""The buckets of relative positions."""

from __future__ import annotations

import numpy as np

from pipeline.coding.inference.onnx_scorer import distance_buckets


def test_distances_fall_into_buckets() -> None:
    bucket_of = distance_buckets(400, 32)
    assert bucket_of.min() == 0
    assert bucket_of.max() == 31
    assert (np.diag(bucket_of) == 0).all()
    assert ((bucket_of >= 16) == (np.arange(400)[None, :] > np.arange(400)[:, None])).all()
    assert (np.diff(bucket_of[-1][::-1]) >= 0).all()  # ever farther back
    assert bucket_of[0, 7] == 16 + 7  # near ones are exact
    assert bucket_of[0, 200] == bucket_of[0, 399]
