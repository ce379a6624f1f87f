"""A coach's visit in a browser, from the login to a recalibration; ``TAPE_REVIEW_SCREENSHOTS`` keeps the pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pyotp
import pytest

from tests.review.coach.year import Year
from tests.review.coding.server import free_port, serving
from tests.review.conftest import PASSWORD
