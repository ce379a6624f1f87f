"""What a group's pages share while they go through a tape: the place, the lead, the votes."""

from __future__ import annotations

from pipeline.review.consensus.live import MOST_OF_ONE, MOST_TABLES, WAITING, LiveTable, LiveTables


def test_votes_are_counted_and_nobodys_is_seen_before_they_are_shown() -> None:
    table = LiveTable()
    table.move("u1", 1000, playing=True)
    table.vote("ada", "Ada", "u1", ["question_open"])
    table.vote("ben", "Ben", "u1", ["question_closed"])
    table.vote("ben", "Ben", "u1", [])  # a later one replaces it
    seen = table.seen_by("ada")
    assert (seen["voted"], seen["mine"], seen["votes"]) == (2, ["question_open"], None)
    assert table.seen_by("eve")["mine"] is None
    table.show("u1")
    assert table.seen_by("eve")["votes"] == [
        {"coder": "Ada", "codes": ("question_open",)},
        {"coder": "Ben", "codes": ()},
    ]
    table.move("u2", 2000, playing=False)
    assert table.seen_by("ada")["votes"] is None  # another utterance, another vote


def test_a_follower_who_takes_nothing_keeps_nobody_else_and_gets_the_newest() -> None:
    tables = LiveTables()
    table = tables.table("tape", "pretags")
    slow, quick = tables.join(table, "slow"), tables.join(table, "quick")
    assert slow
    assert quick
    for time in range(2 * WAITING):
        table.move("u1", time, playing=True)
        table.tell()
        newest = [quick.messages.get_nowait() for _ in range(quick.messages.qsize())][-1]
        assert newest["time"] == time
    assert slow.messages.qsize() == WAITING
    assert [slow.messages.get_nowait() for _ in range(WAITING)][-1]["time"] == 2 * WAITING - 1


def test_one_person_has_few_streams_and_tables_do_not_pile_up() -> None:
    tables = LiveTables()
    table = tables.table("tape", "pretags")
    followers = [tables.join(table, "ada") for _ in range(MOST_OF_ONE + 1)]
    assert [follower is None for follower in followers] == [False] * MOST_OF_ONE + [True]
    assert tables.join(table, "ben")
    for number in range(3 * MOST_TABLES):
        tables.table(f"t{number}", "pretags")
    assert tables.table("tape", "pretags") is table  # somebody follows it
    assert len(tables._tables) <= MOST_TABLES + 1
