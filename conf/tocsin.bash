# Completion for bash; for zsh behind `autoload bashcompinit && bashcompinit`. The program itself is
# asked what there is, so that this cannot say anything else.

_tocsin_commands() {
	"${COMP_WORDS[0]}" help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *.*/\1/p'
}

_tocsin_options() {
	"${COMP_WORDS[0]}" help "$1" 2>/dev/null |
	    sed -n 's/^  \(-[a-z]\), \(--[a-z-]*\).*/\1 \2/p; s/^      \(--[a-z-]*\).*/\1/p'
}

# The words a|b|c that the usage of a command gives for an argument.
_tocsin_words() {
	"${COMP_WORDS[0]}" help "$1" 2>/dev/null | sed '/^$/q' | grep -o '[a-z-]*|[a-z|-]*' | tr '|' ' '
}

_tocsin() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]}

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
		COMPREPLY=($(compgen -W "$(_tocsin_commands)" -- "$word"))
	elif [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_tocsin_options "$command")" -- "$word"))
	else
		case $before in
		-c | --config | --token-file)
			COMPREPLY=($(compgen -f -- "$word"))
			;;
		*)
			COMPREPLY=($(compgen -W "$(_tocsin_words "$command")" -- "$word")
			    $(compgen -f -- "$word"))
			;;
		esac
	fi
}

complete -F _tocsin tocsin
