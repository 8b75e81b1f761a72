# What every script of the e2e and interop tiers needs: checks, children, results. Sourced, from the top of the tree.
#
# Children run in the background and are waited for, so that a signal to the script is answered at once. Bash knows its own
# children: only those that still run are ever signalled, never a number that may be somebody else's by now. When the script
# ends, however it does, what still runs is ended, and then the commands given to at_exit run, the latest first.

work=$(mktemp -d)
build=${SLUICE_BUILD:-$PWD/build}
perf=$build/apps/sluice-perf
echo_app=$build/apps/sluice-echo
ctl=$build/apps/sluice-ctl
exit_commands=()

at_exit() { exit_commands=("$1" "${exit_commands[@]}"); }

leave() {
  local status=$? command
  trap - EXIT
  trap '' INT TERM
  signal_children TERM
  for _ in $(seq 100); do [ -n "$(jobs -pr)" ] || break; sleep 0.1; done
  signal_children KILL
  wait
  for command in "${exit_commands[@]}"; do $command; done
  rm -rf "$work"
  exit "$status"
}
trap leave EXIT
trap 'exit 130' INT TERM

signal_children() {
  local pid
  for pid in $(jobs -pr); do kill -s "$1" "$pid" 2>/dev/null || true; done
}

# running PID: that child has not ended.
running() {
  local pid
  for pid in $(jobs -pr); do [ "$pid" != "$1" ] || return 0; done
  return 1
}

# spawn LOG COMMAND...: in the background; its pid is $!.
spawn() {
  local log=$1; shift
  : >"$log"  # here and now: whoever waits for a word of the new program must not find the old one's
  "$@" >"$log" 2>&1 </dev/null &
}

# bounded SECONDS COMMAND...: for so long at most; its status.
bounded() {
  local seconds=$1; shift
  timeout -k 5 "$seconds" "$@" &
  wait "$!"
}

# stop PID [SIGNAL]: signals a child that still runs, waits for it (15 s at most, then it is killed); its status.
stop() {
  local tries=150
  ! running "$1" || kill -s "${2:-TERM}" "$1"
  while [ "$tries" -gt 0 ] && running "$1"; do sleep 0.1; tries=$((tries - 1)); done
  ! running "$1" || kill -s KILL "$1"
  wait "$1"
}

# ended PID SECONDS: waits for a child to end by itself; false if it does not. `wait PID` then tells its status.
ended() {
  local tries=$(($2 * 10))
  while [ "$tries" -gt 0 ] && running "$1"; do sleep 0.1; tries=$((tries - 1)); done
  ! running "$1"
}

# wait_for SECONDS COMMAND...: until the command succeeds. Ten tries a second, if the command takes no time; in no case more than
# three times as long.
wait_for() {
  local tries=$(($1 * 10)) end=$((SECONDS + 3 * $1)); shift
  while [ "$tries" -gt 0 ] && [ "$SECONDS" -le "$end" ]; do
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
for key in sys.argv[2].split("."): value = value[int(key) if isinstance(value, list) else key]
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

# counter INSTANCE NAME...: the sum of these counters of a running stack.
counter() {
  local instance=$1; shift
  bounded 30 "$ctl" --instance "$instance" --json counters --all >"$work/counters.json" &&
    python3 -c 'import json,sys
counters = json.load(open(sys.argv[1]))
print(sum(counters[name] for name in sys.argv[2:]))' "$work/counters.json" "$@"
}

# at_least MINIMUM INSTANCE NAME...: the sum of these counters is no smaller.
at_least() {
  local minimum=$1 value; shift
  value=$(counter "$@") || return 1
  echo "${*:2} of $1: $value"
  [ "$value" -ge "$minimum" ]
}
