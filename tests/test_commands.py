"""Every command: helps with an example, and takes no secret where other users of the machine could read it."""

from collections.abc import Iterator

import click
import pytest

from steppe import steppe

SECRET_WORDS = ("password", "secret", "token", "key", "passphrase")


def commands(group: click.Group = steppe, words: tuple[str, ...] = ("steppe",)) -> Iterator[tuple[str, click.Command]]:
    """Every command under `group` that does something, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{' '.join(words)} {name} cannot be loaded"
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


ALL = dict(commands())


@pytest.mark.parametrize("words", ALL)
def test_a_command_helps_with_one_line_and_an_example_of_itself(words):
    command = ALL[words]
    assert command.help
    usual = words.removesuffix(" make")  # the one command that its group runs without its word
    assert (command.epilog or "").startswith((f"Example: {words}", f"Example: {usual} --")), command.epilog


@pytest.mark.parametrize("words", ALL)
def test_no_option_takes_a_secret_as_its_value(words):
    """Arguments can be read by every user of the machine; secrets come from files or the environment."""
    for option in ALL[words].params:
        if isinstance(option, click.Option) and not option.is_flag:
            names = [name.strip("-") for name in option.opts]
            assert not [name for name in names if name.endswith(SECRET_WORDS)], f"{words} {option.opts}"
