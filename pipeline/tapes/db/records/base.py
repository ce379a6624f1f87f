"""The base of all records: opaque ids, whole milliseconds, choices that the database enforces, sealed words."""

from __future__ import annotations

import secrets
from typing import Any, dataclass_transform, get_args

from sqlalchemy import JSON, BigInteger, Enum, ForeignKey, LargeBinary, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

Sealed = bytes
"""Words of a client or about one, encrypted with the tape's own key: gone with the key."""


def new_id() -> str:
    """A name that tells nothing."""
    return secrets.token_hex(8)


@dataclass_transform(kw_only_default=True, field_specifiers=(mapped_column,))
class Record(MappedAsDataclass, DeclarativeBase, kw_only=True, repr=False, eq=False):
    """A row. It has no readable form, so that none strays into a log."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        list[str]: JSON(),
        dict[str, Any]: JSON(),
    }


def key() -> Any:
    """The id of a row, made by itself."""
    return mapped_column(primary_key=True, default_factory=new_id)


def of(column: str, optional: bool = False, index: bool = True, dies_with: bool = False) -> Any:
    """A reference to another row; one that dies with the other is deleted with it."""
    given: dict[str, Any] = {"default": None} if optional else {}
    return mapped_column(ForeignKey(column, ondelete="CASCADE" if dies_with else None), index=index, **given)


def tape_id() -> Any:
    """The tape that a row belongs to, and dies with."""
    return of("tapes.id", dies_with=True)


def one_of(kind: Any, name: str, **given: Any) -> Any:
    """A column that holds one word of a `Literal`, and the database refuses any other."""
    words = get_args(kind)
    return mapped_column(Enum(*words, name=name, native_enum=False, create_constraint=True, length=24), **given)


__all__ = ["Mapped", "Record", "Sealed", "key", "mapped_column", "new_id", "of", "one_of", "tape_id"]
