"""``tape-review train``: make the weights in `models/` anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from pipeline import __version__, model_catalog, settings
from pipeline.cli._shared.options import Config
from pipeline.coding.training import data as annomi
from pipeline.errors import CodingError, OutputError
from pipeline.files import sha256
from pipeline.settings import project_folder

Data = Annotated[Path, typer.Option("--data", metavar="FOLDER", help="The folder that holds annomi/annomi.csv.")]


def train(
    data: Data,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write the weights. The default is models/.")
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep", metavar="FOLDER", help="Where to save each finished fold, so that a stopped run can continue."
        ),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            "--seed", metavar="NUMBER", help="A random seed. May be repeated. The shipped weights use the first one."
        ),
    ] = None,
    folds_only: Annotated[
        bool, typer.Option("--folds-only", help="Measure other seeds only. The shipped weights stay as they are.")
    ] = False,
    config: Config = None,
) -> None:
    """Train the tagger and the role weights.

    The predictions of each fold are stored beside the weights.

    Training needs the pretrained encoder (`tape-review models --fetch --training`). It takes two hours on two cores
    that multiply 16-bit matrices in hardware, several times as long on others, and a few minutes where torch finds a
    graphics card. Networks are trained side by side. Each takes one core (`engines.cores`) and 2 GB of memory.

    The same data, versions, seeds and kind of processor give the same tags. Results of earlier runs with other seeds on
    the same data are kept.

    With --folds-only, no new weights are made. The predictions of the seeds on held-out sessions are stored beside the
    existing ones, and `tape-review evaluate` includes them in its means.
    """
    from pipeline.coding.inference import checkpoint
    from pipeline.coding.training import asr_confusions, cross_validation, distillation, tagger_files
    from pipeline.coding.training.folds import TrainingData
    from pipeline.speech import role_training

    _require_packages()
    seeds = list(dict.fromkeys(seed or cross_validation.SEEDS))
    loaded = settings.load(files=config or ()).settings
    table = annomi.read(data)
    models = out or project_folder("models")
    for folder in (models, *([keep] if keep else [])):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            remedy = "name a folder that can be written"
            raise OutputError("O04", f"folder {folder}", f"cannot be made ({error.strerror})", remedy) from error
    encoder = model_catalog.folder(loaded.coding.encoder, loaded.models)
    confusions = project_folder("models") / "mishearings" / "mishearings.csv"
    soft_labels = project_folder("models") / "teacher" / "answers.csv.gz"
    training_data = TrainingData(table, encoder, asr_confusions.read(confusions), distillation.read(soft_labels))
    made_from = {
        "data": {"name": annomi.NAME, "sha256": annomi.checksum(data)},
        "encoder": {"name": loaded.coding.encoder, "checksum": model_catalog.checksum(encoder)},
        "mishearings": {"sha256": sha256(confusions)},
        "teacher": {"sha256": sha256(soft_labels)},
    }
    cores = loaded.engines.cores
    tagger = models / "utterance-tagger"
    if folds_only:
        _check_comparable(checkpoint.read_metadata(tagger), tagger, made_from, seeds)
        with Progress(console=Console(stderr=True)) as display:
            task = display.add_task("Folds", total=1.0)
            folds = cross_validation.measure(training_data, seeds, keep, cores, partial(_show, display, task))
        tagger_files.add_folds(tagger, folds)
        typer.echo(tagger)
        return
    versions = {"version": __version__, "data": made_from["data"], "utterances": len(table)}
    with Progress(console=Console(stderr=True)) as display:
        tagger_task, roles_task = (display.add_task(label, total=1.0) for label in ("Tagger", "Roles"))
        fitted = cross_validation.train(training_data, seeds, keep, cores, partial(_show, display, tagger_task))
        others = tagger_files.other_seeds(tagger, made_from, seeds)
        fitted = replace(fitted, folds=pd.concat([fitted.folds, others]))
        tagger_files.write(tagger, fitted, {**versions, **made_from, "seeds": fitted.folds["seed"].unique().tolist()})
        sessions = role_training.sessions(table)
        role_folds = role_training.cross_fit(sessions)
        role_training.write(models / "roles", role_training.fit(sessions), role_folds, versions)
        display.update(roles_task, completed=1.0)
    typer.echo(models)


def _show(display: Progress, task: TaskID, done: float) -> None:
    display.update(task, completed=done)


def _require_packages() -> None:
    """Refuse at once what would fail after two hours.

    Raises
    ------
    CodingError: C08 a package of the extra ``train`` is missing.
    """
    for package in ("onnx", "safetensors"):
        if find_spec(package) is None:
            remedy = "install what training needs: pip install 'tape-review[train]'"
            raise CodingError("C08", f"package {package}", "is not installed", remedy)


def _check_comparable(
    metadata: Mapping[str, Any], tagger: Path, made_from: Mapping[str, Mapping[str, str]], seeds: Sequence[int]
) -> None:
    """Refuse to measure what could not stand beside the stored folds."""
    from pipeline.coding.training.tagger_files import same_checksum

    for name, source in made_from.items():
        if not same_checksum(metadata.get(name, {}), source):
            remedy = "give those that it was made from, or leave out --folds-only"
            raise CodingError("C05", f"tagger {tagger}", f"differs in the {name} that it was made from", remedy)
    if (shipped := metadata["seeds"][0]) in seeds:
        value, remedy = f"ships seed {shipped}, whose folds stay as they are", "name other seeds with --seed"
        raise CodingError("C05", f"tagger {tagger}", value, remedy)
