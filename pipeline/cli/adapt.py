"""``tape-review adapt``: what a group's consensus codes teach the tagger, used only if it is better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from pipeline import settings
from pipeline.cli._shared.codes_input import CodebookOption
from pipeline.cli._shared.options import Config
from pipeline.errors import CodingError
from pipeline.formats import code_table as formats
from pipeline.formats import tape_tables
from pipeline.formats.code_harmonization import fitting, names


def adapt(
    codes: Annotated[
        Path,
        typer.Argument(
            metavar="CODES.csv", help="A table with tape_id, utterance_id, coder, layer, code and coded_at."
        ),
    ],
    tapes: Annotated[
        list[Path],
        typer.Option("--tape", metavar="PATH", help="A tape's folder or its utterances.csv. May be repeated."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the layer (JSON).")],
    codebook: CodebookOption = None,
    config: Config = None,
) -> None:
    """Fit a small layer to a group's consensus codes, and keep it only if it tags better.

    The layer must beat the shipped tagger on tapes that were held out of the fitting. To use it, set coding.adaptation
    to the file. The tapes' utterances.csv must come from the shipped tagger without an adaptation.
    """
    from pipeline.coding import adaptation, tagger
    from pipeline.coding.inference import checkpoint

    loaded = settings.load(files=config or ()).settings
    tagger_folder = tagger.weights_folder(loaded)
    given = [tape_tables.read_utterances(path / "utterances.csv" if path.is_dir() else path) for path in tapes]
    agreed = formats.read(codes).table
    agreed = agreed[agreed["layer"] == "consensus"].rename(columns={"codes": "consensus"})
    keys = ["tape_id", "utterance_id"]
    rows = [table.merge(agreed[[*keys, "consensus"]].astype(str), on=keys) for table in given]
    joined = pd.concat(rows, ignore_index=True).drop_duplicates(keys)
    if joined.empty:
        value = "name no utterance of the given tapes"
        raise CodingError("C06", f"consensus codes in {codes}", value, "give the utterances.csv that was coded")
    used = names(joined["consensus"])
    book = fitting(used, codebook, loaded.coding.codebook)
    unknown = sorted(set(used) - {code.name for code in book.codes})
    typer.echo(f"Codes after codebook {book.name} {book.version}.")
    if unknown:
        typer.echo(f"Not in the codebook, and not learned from: {', '.join(unknown)}.")
    metadata = checkpoint.read_metadata(tagger_folder)
    layer = adaptation.adapt(joined, checkpoint.identity(metadata), metadata["calibration"]["thresholds"], book)
    gain = layer.gain
    typer.echo(f"{layer.utterances} utterances on {layer.tapes} tapes, {gain.decisions} decisions, each held out once:")
    (log_loss, adapted_loss), (wrong, adapted_wrong) = gain.log_loss, gain.error_rate
    typer.echo(f"surprise {log_loss:.3f} -> {adapted_loss:.3f}, wrong {wrong:.1%} -> {adapted_wrong:.1%}")
    if not gain.better:
        typer.echo("Not better than the shipped tagger: nothing is stored, the shipped one stays in use.")
        return
    layer.write(out)
    typer.echo(out)
