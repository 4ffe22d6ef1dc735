# shellcheck shell=bash
# Completion of retinuectl for bash; in zsh after "autoload -U bashcompinit && bashcompinit". Names of servers come from the
# running daemon.

# Words that may follow, one a line.
_retinuectl_words() {
    local command=$1 at=$2 socket=$3
    case $command in
    '') printf '%s\n' status servers routes modules connections messages log-level reload stop drain top ;;
    routes | connections | stop) [ "$at" -gt 0 ] || _retinuectl_servers "$socket" ;;
    log-level)
        [ "$at" -gt 0 ] || _retinuectl_servers "$socket"
        [ "$at" -gt 1 ] || printf '%s\n' trace debug info notice warn error fatal none
        ;;
    esac
}

_retinuectl_servers() {
    if [ -n "$1" ]; then
        retinuectl --socket "$1" servers --names 2>/dev/null
    else
        retinuectl servers --names 2>/dev/null
    fi
}

_retinuectl_options() {
    printf '%s\n' --socket --json --help
    case $1 in
    '') printf '%s\n' --version ;;
    servers) printf '%s\n' --names ;;
    connections) printf '%s\n' --limit ;;
    log-level) printf '%s\n' --for ;;
    reload) printf '%s\n' --dry-run ;;
    top) printf '%s\n' --once --interval -n ;;
    esac
}

_retinuectl() {
    local word=${COMP_WORDS[COMP_CWORD]} command='' socket='' at=0 i=1 words
    while [ "$i" -lt "$COMP_CWORD" ]; do
        case ${COMP_WORDS[i]} in
        -s | --socket)
            i=$((i + 1))
            socket=${COMP_WORDS[i]}
            ;;
        --for | --limit | --interval | -n) i=$((i + 1)) ;;
        -*) ;;
        *)
            if [ -z "$command" ]; then
                command=${COMP_WORDS[i]}
            else
                at=$((at + 1))
            fi
            ;;
        esac
        i=$((i + 1))
    done
    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -s | --socket)
        while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -f -- "$word")
        return
        ;;
    --for | --limit | --interval | -n) return ;;
    esac
    case $word in
    -*) words=$(_retinuectl_options "$command") ;;
    *) words=$(_retinuectl_words "$command" "$at" "$socket") ;;
    esac
    while IFS= read -r i; do COMPREPLY+=("$i"); done < <(compgen -W "$words" -- "$word")
}

complete -F _retinuectl retinuectl
