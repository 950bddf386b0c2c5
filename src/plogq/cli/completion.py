"""plogq completion: a script that completes commands, options and their values in a shell.

The script contains all completions, so that a Tab does not start Python.
"""

import argparse
import shlex
from collections.abc import Iterable

from plogq.cli.parser import Commands, Parser, add_command

EXAMPLES = """
eval "$(plogq completion bash)"                   # in ~/.bashrc
eval "$(plogq completion zsh)"                    # in ~/.zshrc
plogq completion fish > ~/.config/fish/completions/plogq.fish
"""

# Where the script offers nothing, the shell completes the name of a file.
BASH = """\
_plogq() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command=${{COMP_WORDS[1]}} offered=
    if [[ $COMP_CWORD == 1 ]]; then
        offered={commands}
    else
        case "$command $before" in
{values}
        esac
        if [[ $word == -* ]]; then
            case $command in
{options}
            esac
        fi
    fi
    COMPREPLY=($(compgen -W "$offered" -- "$word"))
}}
complete -o default -F _plogq plogq
"""

# zsh can run the script for bash; `compdef` exists once zsh's own completion has started.
ZSH = """\
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}
autoload -Uz bashcompinit && bashcompinit
{bash}"""


def add(commands: Commands) -> None:
    """Add the command's arguments."""

    def run(arguments: argparse.Namespace) -> None:
        print(SCRIPTS[arguments.shell](commands), end="")

    command = add_command(
        commands,
        "completion",
        run,
        "print a script that completes plogq's commands in a shell",
        takes="SHELL",
        examples=EXAMPLES,
    )
    command.add_argument("shell", metavar="SHELL", choices=SCRIPTS, help=", ".join(SCRIPTS))


def _bash(commands: Commands) -> str:
    options, values = [], []
    for name, command in commands.choices.items():
        words = dict.fromkeys(word for each in command.parsers() for word in each.options())
        options.append(f"                {name}) offered={_quoted(words)} ;;")
        for action in _arguments(command):
            if action.choices is not None:
                for before in action.option_strings or [name]:
                    case = f'"{name} {before}") offered={_quoted(action.choices)} ;;'
                    values.append(f"            {case}")
    return BASH.format(
        commands=_quoted(commands.choices), options="\n".join(options), values="\n".join(values)
    )


def _zsh(commands: Commands) -> str:
    return ZSH.format(bash=_bash(commands))


def _fish(commands: Commands) -> str:
    lines = []
    for name, command in commands.choices.items():
        what = shlex.quote(command.what)
        lines.append(f"complete -c plogq -n __fish_use_subcommand -f -a {name} -d {what}")
        inside = f"complete -c plogq -n '__fish_seen_subcommand_from {name}'"
        for action in _arguments(command):
            words = [f"-l {word[2:]}" for word in action.option_strings if word[:2] == "--"]
            if action.choices is not None:
                words.append(f"-x -a {_quoted(action.choices)}")
            elif words and action.nargs != 0:
                words.append("-r")  # a value follows, maybe the name of a file
            if words:
                lines.append(" ".join([inside, *words]))
    return "".join(f"{line}\n" for line in lines)


def _arguments(command: Parser) -> list[argparse.Action]:
    return [action for each in command.parsers() for action in each.arguments()]


def _quoted(words: Iterable[str]) -> str:
    return shlex.quote(" ".join(words))


SCRIPTS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
