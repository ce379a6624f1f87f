"""Invented sessions in AnnoMI's columns, and a stand-in for the sentence encoder."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coding.encoder import SIZE
from pipeline.coding.features import Matrix
from pipeline.progress import Progress, ignore

TOPICS = ("walking more", "drinking less alcohol", "quitting cigarettes", "sleeping longer", "eating less sugar")

EXCHANGE: tuple[tuple[str, dict[str, str]], ...] = (
    ("What would you like to talk about when it comes to {topic}?", {"question": "open"}),
    ("I have been thinking that {topic} would help me a lot with {reason}.", {"talk": "change"}),
    ("So {topic} matters to you because of {reason}.", {"reflection": "simple"}),
    ("Yeah, but honestly I do not see how I could, with {reason} and all.", {"talk": "sustain"}),
    ("Part of you wants {topic}, and part of you is worn out by {reason}.", {"reflection": "complex"}),
    ("That is right.", {"talk": "neutral"}),
    ("Did you try {topic} last week?", {"question": "closed"}),
    ("I did, on two days, and I want to do more of it.", {"talk": "change"}),
    ("Research shows that {topic} lowers the risk of a stroke in many people.", {"input": "information"}),
    ("Okay.", {"talk": "neutral"}),  # heard as change talk by one annotator
    ("Okay, thank you for coming in today.", {}),
    ("Thanks, see you on {reason}.", {"talk": "neutral"}),
)
REASONS = ("my children", "my back", "the night shift", "my blood pressure", "the money", "my wife", "the holidays")

COLUMNS = (
    *("mi_quality", "transcript_id", "video_title", "video_url", "topic", "utterance_id", "interlocutor", "timestamp"),
    *("utterance_text", "annotator_id", "therapist_input_exists", "therapist_input_subtype", "reflection_exists"),
    *("reflection_subtype", "question_exists", "question_subtype", "main_therapist_behaviour", "client_talk_type"),
    *("family", "fold"),
)


def write_annomi(folder: Path, sessions: int = 20) -> Path:
    """Write ``annomi/annomi.csv``; two sessions a family, five folds, annotators 0 to 4. Returns the folder."""
    (folder / "annomi").mkdir(parents=True)
    with (folder / "annomi" / "annomi.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for session in range(sessions):
            for number, (text, labels) in enumerate((EXCHANGE * 3)[: 24 + 2 * (session % 4)]):
                reason = REASONS[(session * 5 + number) % len(REASONS)]
                row = _labels(labels, client=number % 2 == 1)
                if text == "Okay." and session % 5 == 2:
                    row["client_talk_type"] = "change"
                writer.writerow(
                    row
                    | {
                        "mi_quality": "high",
                        "transcript_id": session,
                        "topic": TOPICS[session % len(TOPICS)],
                        "utterance_id": number,
                        "timestamp": f"00:{number // 4:02d}:{number % 4 * 15:02d}",
                        "utterance_text": text.format(topic=TOPICS[session % len(TOPICS)], reason=reason),
                        "annotator_id": session % 5,
                        "family": f"family-{session // 2}",
                        "fold": session // 2 % 5,
                    }
                )
    return folder


def _labels(labels: dict[str, str], client: bool) -> dict[str, Any]:
    if client:
        return {"interlocutor": "client", "client_talk_type": labels["talk"]}
    main = next(iter(labels), "other")
    return {
        "interlocutor": "therapist",
        "question_exists": "question" in labels,
        "question_subtype": labels.get("question", ""),
        "reflection_exists": "reflection" in labels,
        "reflection_subtype": labels.get("reflection", ""),
        "therapist_input_exists": "input" in labels,
        "therapist_input_subtype": labels.get("input", ""),
        "main_therapist_behaviour": "therapist_input" if main == "input" else main,
    }


class HashedEncoder:
    """A stand-in for `pipeline.coding.encoder.Encoder`: the sum of a fixed random vector for each word."""

    def encode(self, texts: list[str], progress: Progress = ignore) -> Matrix:
        progress(1.0)
        sums = [sum((self._word(word) for word in text.lower().split()), np.zeros(SIZE)) for text in texts]
        return np.array([found / max(1e-12, float(np.linalg.norm(found))) for found in sums], dtype=np.float32)

    def _word(self, word: str) -> Matrix:
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        return np.random.default_rng(seed).standard_normal(SIZE).astype(np.float32)
