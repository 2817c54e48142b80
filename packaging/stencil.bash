# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Completion of "stencil" for bash. The commands, options and values are those that --help names.

_stencil_options() {
	"$@" --help 2>/dev/null </dev/null | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p'
}

# _stencil_values OPTION COMMAND...: what the option takes, if it is one of a few words.
_stencil_values() {
	if [ "$1" = --cpu-model ]; then
		"${@:2}" --host bochs --cpu-model help 2>/dev/null </dev/null
	else
		"${@:2}" --help 2>/dev/null </dev/null | sed -nE "s/^ +$1 \{([a-z,]+)\}.*/\1/p" | tr , '\n'
	fi
}

_stencil() {
	local words=""
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=("${COMP_WORDS[@]:0:2}")

	if [ "$COMP_CWORD" -eq 1 ]; then
		words="$("$1" --help | sed -nE 's/^  ([a-z]+)  +[a-z].*/\1/p') $(_stencil_options "$1")"
	elif [[ $current == -* ]]; then
		words=$(_stencil_options "${command[@]}")
	elif [[ $previous == --* ]]; then
		words=$(_stencil_values "$previous" "${command[@]}")
	fi
	if [ -n "$words" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}
complete -F _stencil stencil
