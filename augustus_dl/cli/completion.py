"""`augustus-dl completion`: command lines completed by bash, zsh and fish.

The shells ask `augustus-dl completion candidates -- WORD...` for what may stand in place of the
last word, so that options and species are listed in one place. No candidates means a file name,
which the shells complete themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from augustus_dl.cli.arguments import options
from augustus_dl.cli.usage import COMMANDS
from augustus_dl.errors import AugustusError, OptionError
from augustus_dl.profile import species_names

__all__ = ["candidates", "completion"]

_CONFIG_PATH = "--AUGUSTUS_CONFIG_PATH="
_SCRIPTS = {
    # bash breaks words at "=" and replaces only what stands behind it.
    "bash": r"""
_augustus_dl() {
    local line="${COMP_LINE:0:COMP_POINT}" prefix="" candidate
    local -a words
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    local word="${words[-1]}"
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && prefix="${word%=*}="
    COMPREPLY=()
    while IFS= read -r candidate; do
        [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
        COMPREPLY+=("${candidate#"$prefix"}")
    done < <(augustus-dl completion candidates -- "${words[@]:1}" 2>/dev/null)
    [[ $word == -* || ${#COMPREPLY[@]} -eq 0 ]] && return
    compopt -o filenames 2>/dev/null
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(compgen -f -- "$word")
}
complete -o default -F _augustus_dl augustus-dl
""",
    "zsh": r"""
#compdef augustus-dl
_augustus_dl() {
    local -a found
    found=(${(f)"$(augustus-dl completion candidates -- "${(@)words[2,CURRENT]}" 2>/dev/null)"})
    compadd -S '' -- ${(M)found:#*=}
    compadd -- ${found:#*=}
    if [[ $PREFIX == *=* ]] && (( ! $#found )); then
        compset -P '*='
        _files
    elif [[ $PREFIX != -* ]]; then
        _files
    fi
}
compdef _augustus_dl augustus-dl
""",
    "fish": r"""
function __augustus_dl
    set -l words (commandline -opc) (commandline -ct)
    augustus-dl completion candidates -- $words[2..-1] 2>/dev/null
end
complete -c augustus-dl -a '(__augustus_dl)'
""",
}


def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")],
    words: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Print a script that completes augustus-dl's command lines.

    Load it from the shell's start-up file, for example with `source <(augustus-dl completion bash)`
    in ~/.bashrc, or `augustus-dl completion fish | source` in fish's config.fish.
    """
    if shell == "candidates":
        text = "".join(f"{candidate}\n" for candidate in candidates(words or [""]))
    elif shell in _SCRIPTS:
        text = _SCRIPTS[shell].lstrip()
    else:
        raise OptionError(f"there is no completion for {shell}; use {', '.join(_SCRIPTS)}")
    print(text, end="")


def candidates(words: Sequence[str]) -> list[str]:
    """What may stand in place of the last of `words`, which are those behind the program's name.

    File names are left to the shell.
    """
    *before, word = words
    if before and before[0] in COMMANDS:
        found: Iterable[str] = _SCRIPTS if before[0] == "completion" else ()
        if word.startswith("-"):
            found = _options_of(before[0])
    elif "=" in word:
        name = word.split("=")[0]
        found = (f"{name}={value}" for value in _values(name, words))
    elif word.startswith("-"):
        honoured = (name for name, option in options().items() if option.kind == "honoured")
        found = ("--help", "--paramlist", "--version", *(f"--{name}=" for name in honoured))
    else:
        found = () if before else COMMANDS
    return [candidate for candidate in found if candidate.startswith(word)]


def _options_of(command: str) -> list[str]:
    """The options of a subcommand."""
    from augustus_dl.cli.subcommands import app

    group = typer.main.get_command(app)
    with typer.Context(group) as context:
        parameters = group.get_command(context, command).params
    names = [name for parameter in parameters for name in parameter.opts]
    return sorted([*(name for name in names if name.startswith("--")), "--help"])


def _values(name: str, words: Sequence[str]) -> Sequence[str]:
    """Values of an option, none where it takes a file or a number."""
    option = options().get(name.removeprefix("--"))
    if name == "--species":
        chosen = [word for word in words if word.startswith(_CONFIG_PATH)]
        try:
            folder = chosen[0].removeprefix(_CONFIG_PATH) if chosen else None
            return ["auto", "help", *species_names(folder)]
        except AugustusError:
            return ()
    if option is None:
        return ()
    return option.values or (("on", "off") if option.type == "bool" else ())
