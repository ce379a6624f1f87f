"""What kind of file system a place is on, and what that means for what is overwritten there."""

from __future__ import annotations

import os
from pathlib import Path

IN_MEMORY = {"tmpfs", "ramfs"}

_BESIDE = {"apfs", "bcachefs", "btrfs", "f2fs", "nilfs2", "overlay", "zfs"}
"""File systems that write a change beside what was there before."""

_IN_PLACE = {"exfat", "ext2", "ext3", "ext4", "jfs", "msdos", "ntfs", "ntfs3", "vfat", "xfs"}


def file_system(place: Path) -> str:
    """The kind of a place's file system, such as ``"ext4"``; empty where the system does not say."""
    try:
        where = place.resolve(strict=True)
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = {_path(parts[1]): parts[2] for line in lines if len(parts := line.split()) > 2}
    return next((mounts[each] for each in (where, *where.parents) if each in mounts), "")


def in_memory(place: Path) -> bool:
    """Whether what lies there never touches a disk (but for swap), and we may write there."""
    return file_system(place) in IN_MEMORY and os.access(place, os.W_OK)


def of_overwritten(place: Path) -> str:
    """What may be left of a file that was overwritten there, in a sentence."""
    kind = file_system(place)
    name = f"the file system of the keys ({kind or 'unknown'})"
    if kind in IN_MEMORY:
        return f"{name} lies in memory: an overwritten key is gone, but for swap"
    if kind in _IN_PLACE:
        return (
            f"{name} overwrites in place; a snapshot or an image of the disk that was taken before, or flash memory "
            "that moves what it writes, may still hold the key: that cannot be seen from here"
        )
    if kind in _BESIDE:
        return (
            f"{name} writes beside what was there: the overwritten key may stay readable on the disk until its place "
            "is used again, and in every snapshot that was taken before: that cannot be seen from here"
        )
    return f"whether {name} keeps what was overwritten, or its snapshots do, cannot be seen from here"


def _path(text: str) -> Path:
    """A mount point as the table of mounts spells it: blanks and the like as octal numbers."""
    return Path(text.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace"))
