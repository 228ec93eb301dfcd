"""Who may do what: users, their roles, and the scopes of a token."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "crew", "operator", "admin"]
Scope = Literal["read", "alarms:act", "judge", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what the one before it may."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
SCOPES_OF: dict[Role, frozenset[Scope]] = {
    "viewer": frozenset({"read"}),
    "crew": frozenset({"read", "alarms:act"}),
    "operator": frozenset({"read", "alarms:act", "judge"}),
    "admin": frozenset(SCOPES),
}

LONGEST_NAME = 60


def is_name(text: str) -> bool:
    """Whether a user or a token may have this name: it stands in addresses and in the audit trail."""
    return text.isprintable() and 0 < len(text.strip()) == len(text) <= LONGEST_NAME and "/" not in text


@dataclass(frozen=True)
class User:
    """A person who may sign in."""

    name: str
    full_name: str
    role: Role
    has_password: bool = True
    """False until the first one-time link was used."""
    is_disabled: bool = False

    def may(self, role: Role) -> bool:
        """Whether the user has this role or one above it."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class Session:
    """A browser that has signed in."""

    user: User
    csrf: str
    """Secret that its forms carry."""
    digest: str


@dataclass(frozen=True)
class Caller:
    """Whoever uses the API: a person's browser or a token."""

    name: str
    scopes: frozenset[Scope]
