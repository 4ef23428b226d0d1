"""The scripts that a shell runs for each completion."""

from __future__ import annotations

# $1 is the command as typed. bash splits the line at COMP_WORDBREAKS too, such as the colon of s3://, so the command
# splits the line itself.
_BASH = r"""
_image_labels() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(
        _IMAGE_LABELS_COMPLETE=bash "$1" "$1" "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null
    )
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]]; then
        compopt -o nospace 2>/dev/null # bash 3, which macOS ships, does not have it
    fi
}
complete -F _image_labels image-labels
"""

# PREFIX is the current word up to the cursor, without an open quote but with backslashes. compadd quotes candidates.
_ZSH = r"""
#compdef image-labels
_image_labels() {
    local line prefix
    local -a words_before directories values descriptions
    prefix=$PREFIX
    [[ -n ${compstate[quote]} ]] || prefix=${(Q)PREFIX}
    words_before=("${(@Q)words[2,CURRENT-1]}")
    while IFS= read -r line; do
        if [[ $line == */ ]]; then
            directories+=("$line")
        else
            values+=("${line%%$'\t'*}")
            descriptions+=("${line/$'\t'/  }")
        fi
    done < <(_IMAGE_LABELS_COMPLETE=zsh "${words[1]}" "${words_before[@]}" "$prefix" 2>/dev/null </dev/null)
    (( $#directories )) && compadd -S '' -- "${directories[@]}"
    (( $#values )) && compadd -l -d descriptions -- "${values[@]}"
}
if [[ ${funcstack[1]} == _image_labels ]]; then
    _image_labels "$@"
else
    compdef _image_labels image-labels
fi
"""

_FISH = r"""
function __image_labels
    set -lx _IMAGE_LABELS_COMPLETE fish
    set -l words (commandline -opc)
    $words[1] $words[2..-1] (commandline -ct | string collect -a) 2>/dev/null </dev/null
end
complete --command image-labels --no-files --arguments '(__image_labels)'
"""

SCRIPTS = {"bash": _BASH.lstrip(), "zsh": _ZSH.lstrip(), "fish": _FISH.lstrip()}
