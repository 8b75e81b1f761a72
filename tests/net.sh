# Two hosts on one machine, for the scripts of the e2e and interop tiers. Sourced.
#
# net_up makes the network namespaces $left and $right joined by a veth named sl0 in both; net_down, which an EXIT trap
# calls, ends what was started with `spawn` and removes them.

left=sl-left-$$
right=sl-right-$$
work=$(mktemp -d)
pids=()
build=${SLUICE_BUILD:-build}
perf=$build/apps/sluice-perf
echo_app=$build/apps/sluice-echo

net_down() {
  trap - EXIT
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  ip netns delete "$left" 2>/dev/null || true
  ip netns delete "$right" 2>/dev/null || true
  rm -rf "$work"
}
trap net_down EXIT
trap 'exit 130' INT TERM

net_up() {
  ip netns add "$left"
  ip netns add "$right"
  ip -n "$left" link add sl0 type veth peer name sl0 netns "$right"
  local ns
  for ns in "$left" "$right"; do
    ip -n "$ns" link set lo up
    ip netns exec "$ns" sysctl -qw net.ipv6.conf.sl0.disable_ipv6=1
    ip netns exec "$ns" ethtool -K sl0 tx-checksum-sctp off gso off >/dev/null 2>&1 || true
    ip -n "$ns" link set sl0 mtu "${1:-1500}" up
  done
}

# in_ns NAMESPACE COMMAND...
in_ns() { ip netns exec "$@"; }

# spawn LOG COMMAND...: in the background, ended by net_down; its pid is ${pids[-1]}.
spawn() {
  local log=$1; shift
  "$@" >"$log" 2>&1 </dev/null &
  pids+=($!)
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local tries=$(($1 * 10)); shift
  while [ "$tries" -gt 0 ]; do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
    tries=$((tries - 1))
  done
  return 1
}

# check NAME COMMAND...: prints "ok NAME" or, after the command's output, "not ok NAME".
check() {
  local name=$1; shift
  if "$@" >"$work/check" 2>&1; then
    echo "ok $name"
  else
    cat "$work/check"
    echo "not ok $name"
  fi
}

# json FILE KEY: a value of the JSON object in FILE, such as latency_us.p50.
json() { python3 -c 'import json,sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."): value = value[key]
print(value)' "$@"; }

# clean_result FILE MESSAGES: sluice-perf's JSON says that these many messages (or, with 0, at least one) arrived and were right.
clean_result() {
  python3 - "$@" <<'PY'
import json, sys
result = json.load(open(sys.argv[1])); wanted = int(sys.argv[2])
print(result)
assert result["messages"] == wanted if wanted else result["messages"] > 0, "messages"
for key in ("lost", "corrupted", "misordered", "duplicated"): assert result[key] == 0, key
assert not result["problems"]
PY
}
