#!/usr/bin/env bash
# A cluster on this machine, to try: three members of etcd, and three nodes of kabar that share a realm. Each node serves
# clients. One leads; when it is killed, another one leads, and clients of the others keep their connections.
#
#   apt-get install etcd-server && cargo build --release && examples/cluster.sh [BINARY]
#
# Everything is in a temporary directory, listens on this machine only, and ends with this script.
set -euo pipefail

kabar=${1:-$(dirname "$0")/../target/release/kabar}
command -v etcd >/dev/null || { echo "etcd is missing: apt-get install etcd-server" >&2; exit 1; }
[ -x "$kabar" ] || { echo "$kabar is missing: cargo build --release" >&2; exit 1; }

home=$(mktemp -d)
declare -A pids
finish() {
    trap - EXIT INT TERM
    for name in "${!pids[@]}"; do kill -KILL "${pids[$name]}" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 0' INT TERM

# etcd listens to its peers at 23811 and on, and to clients at 23801 and on; a node to clients at 18889 and on, and to the
# nodes that follow it at 18871 and on.
peers=1=http://127.0.0.1:23811,2=http://127.0.0.1:23812,3=http://127.0.0.1:23813
log=etcd://127.0.0.1:23801,127.0.0.1:23802,127.0.0.1:23803

start_etcd() {
    etcd --name "$1" --data-dir "$home/etcd$1" --initial-cluster "$peers" --snapshot-count 1000 --log-level error \
        --listen-client-urls "http://127.0.0.1:2380$1" --advertise-client-urls "http://127.0.0.1:2380$1" \
        --listen-peer-urls "http://127.0.0.1:2381$1" --initial-advertise-peer-urls "http://127.0.0.1:2381$1" \
        >>"$home/etcd$1.log" 2>&1 &
    pids[etcd$1]=$!
}

port_of() { echo "$((18888 + $1))"; }

start_node() {
    "$kabar" serve --config "$home/node$1.toml" >>"$home/node$1.log" 2>&1 &
    pids[node$1]=$!
}

stop() {
    [ -n "${pids[$1]:-}" ] || { echo "nothing is called $1"; return; }
    kill -KILL "${pids[$1]}" 2>/dev/null || true
    wait "${pids[$1]}" 2>/dev/null || true
    unset "pids[$1]"
    echo "killed $1"
}

for i in 1 2 3; do
    start_etcd $i
    cat >"$home/node$i.toml" <<CONFIG
[server]
realm = "kota"
data = "$home/node$i"
listen = ["127.0.0.1:$(port_of $i)"]
listen_text = []
web = []

[cluster]
log = "$log"
node = "node$i"
listen = "127.0.0.1:1887$i"
advertise = "127.0.0.1:$(port_of $i)"

[[users]]
name = "ani"
password = "rahasia1"

[[users]]
name = "budi"
password = "rahasia2"
CONFIG
done

begun=
for _ in $(seq 50); do
    "$kabar" cluster init --config "$home/node1.toml" 2>"$home/init.log" && begun=yes && break
    sleep 0.2
done
[ -n "$begun" ] || { cat "$home/init.log" >&2; exit 1; }
start_node 1
token_of_node1() {
    for _ in $(seq 50); do
        "$kabar" cluster invite --config "$home/node1.toml" 2>"$home/invite.log" && return
        sleep 0.2
    done
    cat "$home/invite.log" >&2
    return 1
}
for i in 2 3; do
    token=$(token_of_node1)
    "$kabar" cluster join - --config "$home/node$i.toml" <<<"$token" >"$home/join$i.log"
    start_node $i
done

cat <<HELP

Three nodes of the realm kota. Each of them serves clients:
$(for i in 1 2 3; do echo "  nc 127.0.0.1 $(port_of $i)"; done)
Type at one:      auth budi rahasia2      and then:  subscribe
Type at another:  auth ani rahasia1       and then:  send budi hello
Then kill the node that leads (status shows which one): the connections to the other two stay, and the next message arrives.

Here:  status | kill node1 | kill etcd1 | start node1 | start etcd1 | quit
Logs are in $home.
HELP
while printf '> ' && read -r word what; do
    case "$word $what" in
        "status "*) "$kabar" cluster status --config "$home/node1.toml" || true ;;
        "kill "*) stop "$what" ;;
        "start node"[123]) start_node "${what#node}" ;;
        "start etcd"[123]) start_etcd "${what#etcd}" ;;
        "quit "*) break ;;
        *) echo "expected status, kill node1, kill etcd1, start node1, start etcd1 or quit" ;;
    esac
done
