"""One rater's codes of one tape: a later pass replaces what its task asked for, and no more."""

from __future__ import annotations

from dataclasses import replace

from pipeline.review.coach.rater_codes import RaterCodes, latest_codes, recoded_codes


def test_a_later_pass_holds_for_what_it_asked_for() -> None:
    def codes_at(moment: int, codable: set[str], *codes: tuple[str, ...]) -> RaterCodes:
        codes_of = {f"u{number}": given for number, given in enumerate(codes)}
        return RaterCodes("t", "member", "ann", "pretags", moment, codes_of, frozenset(codable))

    whole = codes_at(1, {"simple", "complex", "open"}, ("simple",), ("open", "simple"), ())
    depth = codes_at(2, {"simple", "complex"}, ("complex",), (), ("simple",))
    (combined,) = latest_codes([whole, depth])
    assert combined.codes == {"u0": ("complex",), "u1": ("open",), "u2": ("simple",)}
    assert (combined.at, combined.codable) == (2, whole.codable)
    # Only what was coded again can show whether a coder still codes as before.
    (first,) = recoded_codes([whole, depth])
    assert (first.at, first.codable) == (1, depth.codable)
    assert first.codes == {"u0": ("simple",), "u1": ("simple",), "u2": ()}
    assert recoded_codes([whole, codes_at(2, {"change"}, ("change",), (), ())]) == []
    # A coach codes one stretch of a tape after the other.
    stretch = replace(whole, codes={"u0": ("open",)})
    (both,) = latest_codes([stretch, replace(whole, codes={"u1": ("simple",)})])
    assert both.codes == {"u0": ("open",), "u1": ("simple",)}
