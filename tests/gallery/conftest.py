"""The room of the review's tests."""

from tests.review.conftest import *  # noqa: F403
