"""``tape-review evaluate``: the figures of the model cards, from the fold predictions that training stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from pipeline import model_catalog, settings
from pipeline.cli._shared.options import Config
from pipeline.cli._shared.tables import console
from pipeline.cli.train import Data
from pipeline.coding.training import data as annomi
from pipeline.errors import CodingError
from pipeline.files import put

if TYPE_CHECKING:
    from pipeline.coding.training.evaluation import Metric


def evaluate(
    data: Data,
    parts: Annotated[
        bool, typer.Option("--parts", help="Also show figures by quality, length and topic, for the shipped weights.")
    ] = False,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the figures to this file.")
    ] = None,
    config: Config = None,
) -> None:
    """Measure the tagger and the roles on held-out sessions, beside a human expert.

    Every figure comes from five folds that share no family of sessions, with a 90 % interval over families. If training
    had several seeds, the figure is their mean, and each is shown. "Bare" is the same text without punctuation and
    case.
    """
    from pipeline.coding import tagger
    from pipeline.coding.inference import checkpoint
    from pipeline.coding.training import evaluation
    from pipeline.coding.training.folds import VARIANTS
    from pipeline.speech import role_training

    loaded = settings.load(files=config or ()).settings
    folder = tagger.weights_folder(loaded)
    table, metadata = annomi.read(data), checkpoint.read_metadata(folder)
    if annomi.checksum(data) != metadata["data"]["sha256"]:
        value = "are not those that the tagger was trained on"
        raise CodingError("C05", f"data {data}", value, "give those data, or train again with `tape-review train`")
    folds = {variant: checkpoint.read_folds(folder, variant) for variant in VARIANTS}
    by_fold = checkpoint.fold_calibrations(metadata)
    metrics = {variant: evaluation.mean_over_seeds(table, rows, by_fold) for variant, rows in folds.items()}
    roles = role_training.accuracy(role_training.read_folds(model_catalog.trained(loaded.diarization.roles)))
    console().print(_table(metrics, roles, metadata["seeds"]))
    if parts:
        written, seed = folds[VARIANTS[0]], metadata["seeds"][0]
        console().print(
            _parts(evaluation.metrics_by_slice(evaluation.join_predictions(table, written[written["seed"] == seed])))
        )
    if as_json:
        figures = {variant: [asdict(metric) for metric in of_variant] for variant, of_variant in metrics.items()}
        counts = {version: {"right": good, "sessions": number} for version, (good, number) in roles.items()}
        put(as_json, json.dumps({"tags": figures, "roles": counts}, indent=2).encode() + b"\n")


def _table(metrics: dict[str, tuple[Metric, ...]], roles: dict[str, tuple[int, int]], seeds: Sequence[int]) -> Table:
    table = Table(title="Five family-disjoint folds of AnnoMI, pooled; macro-F1 where nothing else is said")
    seed_columns = [f"Seed {seed}" for seed in seeds] if len(seeds) > 1 else []
    for column in ("Figure", "As written", "Bare", "One expert", "Rests on", *seed_columns):
        table.add_column(column, justify="left" if column == "Figure" else "right")
    for written, bare in zip(*metrics.values(), strict=True):
        human = "" if written.human is None else f"{written.human:.3f}"
        of_seeds = (f"{value:.3f}" for value in written.seeds)
        table.add_row(written.name, _cell(written), _cell(bare), human, str(written.number), *of_seeds)
    for version, (good, number) in roles.items():
        if "bare" not in version:
            bare_good, bare_number = roles[f"{version}, bare"]
            table.add_row(f"roles, {version}", f"{good}/{number}", f"{bare_good}/{bare_number}", "", str(number))
    return table


def _parts(slices: dict[str, tuple[Metric, ...]]) -> Table:
    table = Table(title="Parts of the data, as written")
    for column in ("Part", "Figure", "As written", "Rests on"):
        table.add_column(column, justify="right" if column in ("As written", "Rests on") else "left")
    for part, metrics in slices.items():
        for metric in metrics:
            table.add_row(part, metric.name, _cell(metric), str(metric.number))
        table.add_section()
    return table


def _cell(metric: Metric) -> str:
    return f"{metric.value:.3f} ({metric.low:.3f}-{metric.high:.3f})"
