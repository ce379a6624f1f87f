"""The kind of file system below a path, and what overwriting a file means there."""

from __future__ import annotations

import os
from pathlib import Path

IN_MEMORY = {"tmpfs", "ramfs"}

_BESIDE = {"apfs", "bcachefs", "btrfs", "f2fs", "nilfs2", "overlay", "zfs"}
"""File systems that write a change beside what was there before."""

_IN_PLACE = {"exfat", "ext2", "ext3", "ext4", "jfs", "msdos", "ntfs", "ntfs3", "vfat", "xfs"}


def file_system(path: Path) -> str:
    """The kind of a place's file system, such as ``"ext4"``; empty where the system does not say."""
    try:
        where = path.resolve(strict=True)
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    mounts = {_path(parts[1]): parts[2] for line in lines if len(parts := line.split()) > 2}
    return next((mounts[each] for each in (where, *where.parents) if each in mounts), "")


def in_memory(path: Path) -> bool:
    """Whether what lies there never touches a disk (but for swap), and we may write there."""
    return file_system(path) in IN_MEMORY and os.access(path, os.W_OK)


def of_overwritten(path: Path) -> str:
    """Return a sentence on what may be left of a file that is overwritten there."""
    kind = file_system(path)
    name = f"the file system of the keys ({kind or 'unknown'})"
    if kind in IN_MEMORY:
        return f"{name} is in memory: an overwritten key is gone, except for swap"
    if kind in _IN_PLACE:
        return (
            f"{name} overwrites in place; an earlier snapshot or image of the disk, or flash memory that moves data, "
            "may still contain the key: this program cannot check that"
        )
    if kind in _BESIDE:
        return (
            f"{name} writes new data in another place: the overwritten key may stay readable on the disk until its "
            "place is used again, and in every earlier snapshot: this program cannot check that"
        )
    return f"this program cannot check whether {name} or its snapshots keep overwritten data"


def _path(text: str) -> Path:
    """A mount point as the table of mounts spells it: blanks and the like as octal numbers."""
    return Path(text.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace"))
