"""Invented sessions in AnnoMI's columns, and a tiny pretrained encoder to start from."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.coding.inference.context_windows import OTHER_ROLE_WORD, ROLE_WORDS
from pipeline.coding.inference.features import Matrix

WIDTH = 32
"""Of the tiny encoder."""

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


def write_encoder(folder: Path, seed: int = 0) -> Path:
    """Write a pretrained encoder of two tiny layers, with random weights, that knows the invented words."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    folder.mkdir(parents=True)
    texts = " ".join([*(text for text, _ in EXCHANGE), *TOPICS, *REASONS]).lower()
    words = [
        *("<s>", "<pad>", "</s>", "<mask>", "[UNK]"),
        *ROLE_WORDS.values(),
        OTHER_ROLE_WORD,
        *re.findall(r"\w+|[^\w\s]", texts),
    ]
    vocabulary = {word: number for number, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 - a word piece
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_attention_heads": 2,
        "num_hidden_layers": 2,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": 514,
        "relative_attention_num_buckets": 8,
        "vocab_size": len(vocabulary),
    }
    (folder / "config.json").write_text(json.dumps(settings))
    random = np.random.default_rng(seed)

    def dense(name: str, rows: int, columns: int) -> dict[str, Matrix]:
        weight = random.normal(0, columns**-0.5, (rows, columns)).astype(np.float32)
        return {f"{name}.weight": weight, f"{name}.bias": np.zeros(rows, dtype=np.float32)}

    def norm(name: str) -> dict[str, Matrix]:
        return {f"{name}.weight": np.ones(WIDTH, np.float32), f"{name}.bias": np.zeros(WIDTH, np.float32)}

    def table(name: str, rows: int, columns: int) -> dict[str, Matrix]:
        return {f"{name}.weight": random.normal(0, 1, (rows, columns)).astype(np.float32)}

    state = table("embeddings.word_embeddings", len(vocabulary), WIDTH)
    state |= table("embeddings.position_embeddings", 514, WIDTH) | norm("embeddings.LayerNorm")
    state |= table("encoder.relative_attention_bias", 8, 2)
    for number in range(2):
        layer = f"encoder.layer.{number}"
        for name in ("q", "k", "v", "o"):
            state |= dense(f"{layer}.attention.attn.{name}", WIDTH, WIDTH)
        state |= norm(f"{layer}.attention.LayerNorm") | norm(f"{layer}.output.LayerNorm")
        state |= dense(f"{layer}.intermediate.dense", 2 * WIDTH, WIDTH)
        state |= dense(f"{layer}.output.dense", WIDTH, 2 * WIDTH)
    save_file(state, str(folder / "model.safetensors"))
    return folder
