"""``tape-review agreement``: how far coders agree, and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli._shared import codes_input, tables
from pipeline.cli._shared.options import Config

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.cli._shared.codes_input import CodesInput

FEW = 4
"""Coders whose pairs are shown without being asked for: six pairs at most."""


def agreement(
    codes: codes_input.CodesFile,
    form: tables.OutputFormat = "table",
    table: Annotated[
        Literal["agreement", "sessions", "confusions"], typer.Option("--table", help="The table to print as CSV.")
    ] = "agreement",
    whole: Annotated[
        bool, typer.Option("--all", help=f"Show every code, and every pair even of more than {FEW} coders.")
    ] = False,
    codebook: codes_input.CodebookOption = None,
    absent: codes_input.AbsentRows = "auto",
    draws: Annotated[
        int, typer.Option(min=100, max=20_000, metavar="NUMBER", help="How many bootstrap draws an interval takes.")
    ] = 1000,
    seed: Annotated[
        int, typer.Option(min=0, metavar="NUMBER", help="The random seed. The same seed gives the same intervals.")
    ] = 0,
    config: Config = None,
) -> None:
    """Compare the codes of several coders.

    It compares members with each other, the group with the coach, the machine with the group, and a coder with an
    earlier pass of the same coder on the same tape. It shows percent agreement, kappa with prevalence and bias index,
    PABAK, AC1, alpha, and the pairs of codes that differ. Each figure has a 95 % interval from a bootstrap over tapes.
    Counts per session have intraclass correlations.
    """
    import pandas as pd

    from pipeline.measures.reliability import agreement as measure
    from pipeline.measures.reliability.comparisons import intra_rater_comparisons
    from pipeline.measures.reliability.confusions import confusions

    read = codes_input.read(codes, codebook, absent, config)
    figures = [measure.agreement_table(read.panel, draws=draws, seed=seed)]
    pairs = [confusions(read.panel)]
    repeated = intra_rater_comparisons(read.codes.table, read.codes.earlier, read.scheme, absent)
    if repeated:
        figures.append(measure.agreement_table(*repeated, draws=draws, seed=seed))
        pairs.append(confusions(*repeated))
    results = {
        "agreement": pd.concat([frame for frame in figures if len(frame)] or figures[:1], ignore_index=True),
        "sessions": measure.session_icc(read.panel, draws=draws, seed=seed),
        "confusions": pd.concat([frame for frame in pairs if len(frame)] or pairs[:1], ignore_index=True),
    }
    notes = [*read.notes, *_notes(read, results["agreement"])]
    few = len(read.panel.rows("member")) <= FEW
    if not whole and not few:
        notes.append(f"{len(read.panel.rows('member'))} coders: --all shows each pair of them.")
    tables.print_tables(results, notes, form, table, _shown(results, whole, few))


def _notes(read: CodesInput, figures: pd.DataFrame) -> list[str]:
    from pipeline.measures.reliability.comparisons import group_comparisons, pairs_without_overlap

    panel = read.panel
    if not len(figures):
        if len(panel.coders) == 1:
            return [f"Only one coder ({panel.coders[0][1]}) coded. There is nobody to compare with."]
        if group_comparisons(panel):
            return ["No two coders could give the same codes. There is nothing to compare."]
        return ["No two coders coded the same utterance. There is nothing to compare."]
    notes = []
    apart = [f"{first} with {second}" for first, second in pairs_without_overlap(panel)]
    if apart:
        more = f" and {len(apart) - 5} more" if len(apart) > 5 else ""
        notes.append(f"Not compared, because they coded no utterance in common: {', '.join(apart[:5])}{more}.")
    if len(panel.tapes) == 1:
        notes.append("Only one tape: intervals need two or more.")
    return [*notes, "Intervals: 95 %, from resampling the tapes. Fewer than 50 units get no verdict."]


def _shown(results: dict[str, pd.DataFrame], whole: bool, few: bool) -> dict[str, pd.DataFrame]:
    import pandas as pd

    from pipeline.measures.drift.sentences import undefined_reason

    figures, counts, pairs = results["agreement"], results["sessions"], results["confusions"]
    if not whole:
        figures = figures[figures["level"].isin(["all", "family", "which"])]
        figures = figures if few else figures[figures["comparison"] != "coders"]
        figures = figures[(figures["level"] != "which") | (figures["units"] > 0)]
        counts = counts[~counts["comparison"].isin(["coders", "coder and consensus", "coder and coach"])]
        pairs = pairs if few else pairs[pairs["comparison"] != "coders"]
        pairs = pairs.groupby(["comparison", "a", "b"], sort=False).head(5)
    shown = {}
    for (_, first, second), rows in figures.groupby(["comparison", "a", "b"], sort=False):
        tapes = f"{rows['tapes'].max()} {'tape' if rows['tapes'].max() == 1 else 'tapes'}"
        title = f"{first} with {'each other' if first == second else second}: {tapes}"
        shown[title] = [
            {
                "on": f"{row['name']}, which" if row["level"] == "which" else row["name"],
                "units": str(row["units"]),
                "agree": tables.format_with_interval(row["percent"], row["percent_low"], row["percent_high"], ".0%"),
                "kappa": tables.format_figure(row["kappa"], missing=undefined_reason(row["undefined"], "kappa")),
                "AC1": tables.format_figure(row["ac1"], missing=undefined_reason(row["undefined"], "ac1")),
                "alpha": tables.format_with_interval(
                    *(row["alpha"], row["alpha_low"], row["alpha_high"]),
                    missing=undefined_reason(row["undefined"], "alpha"),
                ),
                "verdict": row["verdict"],
            }
            for row in rows.to_dict("records")
        ]
    session = [
        {
            "who": f"{row['a']} with {row['b']}",
            "on": row["measure"],
            "means": f"{tables.format_figure(row['mean_a'], '.1f')} / {tables.format_figure(row['mean_b'], '.1f')}",
            "ICC(A,1)": tables.format_with_interval(
                row["icc_a1"], row["icc_a1_low"], row["icc_a1_high"], missing="undefined"
            ),
            "ICC(C,1)": tables.format_with_interval(
                row["icc_c1"], row["icc_c1_low"], row["icc_c1_high"], missing="undefined"
            ),
            "": row["undefined"],
        }
        for row in counts.to_dict("records")
    ]
    differ = [
        {
            "who": f"{row['a']}: {row['a_code']}",
            "with": f"{row['b']}: {row['b_code']}",
            "units": str(row["units"]),
            "other way": str(row["reverse"]),
            "utterances": ", ".join(row["utterances"].split("|")[:3]),
        }
        for row in pairs.to_dict("records")
    ]
    shown |= {"Counts per session": session, "Where codes differ": differ}
    return {title: pd.DataFrame(rows) for title, rows in shown.items() if rows}
