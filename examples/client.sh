#!/usr/bin/env bash
# A client of kabar for scripts, with nothing but bash: sends a message, or prints the frame of the inbox.
#
#     client.sh HOST PORT USER PASSWORD             prints the inbox, a JSON object
#     client.sh HOST PORT USER PASSWORD TO TEXT...  sends a message
set -euo pipefail

if [ $# -lt 4 ]; then
    echo "usage: client.sh HOST PORT USER PASSWORD [TO TEXT...]" >&2
    exit 2
fi
host=$1 port=$2 user=$3 password=$4
shift 4

exec 3<>"/dev/tcp/$host/$port"

# Sends a line and puts the reply, one frame, into `reply`.
ask() {
    while :; do
        printf '%s\n' "$1" >&3
        IFS= read -r reply <&3
        IFS= read -r _empty <&3
        case $reply in
            '{"status":"OK"'*) return ;;
            # Nothing was done: the same line may be sent again.
            *'"code":"slow_down"'*) sleep "$(retry_after)" ;;
            *) printf '%s\n' "$reply" >&2; exit 1 ;;
        esac
    done
}

retry_after() {
    local after=${reply##*'"retry_after":'}
    printf '%s' "${after%%[!0-9]*}"
}

ask "auth $user $password"
if [ $# -gt 0 ]; then
    to=$1
    shift
    ask "send $to $*"
    echo sent
else
    ask inbox
    printf '%s\n' "$reply"
fi
