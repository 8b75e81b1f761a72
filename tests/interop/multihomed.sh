# A peer over two links, each of which goes down and comes back under load. Sourced, after tests/interop/scenarios.sh, by what
# brings besides:
#
#   link_down NUMBER, link_up NUMBER   the link 0 or 1 takes no packet any more, until it does again
#   ${devices[@]}                      what our stack has the links by
#   ${brisk[@]} ${their_pace[@]}       options with which our programs and the peer's take a path for dead in a second or two
#   ${rate[@]}                         option of both clients, where they must not send as fast as they can

# use FAMILY: the addresses of both sides, one on each link.
use() {
  case "$1" in
    IPv4) ours=(198.18.0.1 198.18.1.1) theirs=(198.18.0.2 198.18.1.2) bits=(24 24) ;;
    IPv6) ours=(2001:db8::1 2001:db8:1::1) theirs=(2001:db8::2 2001:db8:1::2) bits=(64 64) ;;
    "IPv4 and IPv6") ours=(198.18.0.1 2001:db8:1::1) theirs=(198.18.0.2 2001:db8:1::2) bits=(24 64) ;;
  esac
  # What goes past the queueing disciplines, as it does by default, is not seen by tcpdump.
  port=(--device "${devices[0]}" --set 'port.0.arguments="qdisc_bypass=0"' --address "${ours[0]}/${bits[0]}"
    --set 'port.1.driver="af_packet"' --set "port.1.device=\"${devices[1]}\"" --set 'port.1.arguments="qdisc_bypass=0"'
    --set "port.1.addresses=[\"${ours[1]}/${bits[1]}\"]" --instance "$instance" "${brisk[@]}")
}

# path_is NUMBER STATE...: the path to the peer's address on that link has one of these states.
path_is() {
  bounded 30 "$ctl" --instance "$instance" --json paths >"$work/paths.json" || return 1
  python3 - "$work/paths.json" "${theirs[$1]}" "${@:2}" <<'PY'
import json, sys
found = json.load(open(sys.argv[1]))["associations"]
assert len(found) == 1, found
one = found[0]
states = {path["destination"]: path["state"] for path in one["paths"]}
print(states)
assert states[sys.argv[2]] in sys.argv[3:]
PY
}

# go_on PORT: a thousand packets more arrive by that link.
go_on() { wait_for 30 at_least $(($(counter "$instance" "port/port$1/rx_packets") + 1000)) "$instance" "port/port$1/rx_packets"; }

# on_primary: for a second, what we send goes by the link of our primary path; by the other one goes little more than SACKs, which
# go where the data came from. Which link the peer's data comes by is the peer's choice.
on_primary() {
  local moment
  bounded 30 "$ctl" --instance "$instance" --json paths >"$work/paths.json" || return 1
  for moment in before after; do
    bounded 30 "$ctl" --instance "$instance" --json counters --all >"$work/$moment.json" || return 1
    [ "$moment" = after ] || sleep 1
  done
  python3 - "$work/before.json" "$work/after.json" "$work/paths.json" "${theirs[@]}" <<'PY'
import json, sys
before, after, found = (json.load(open(name)) for name in sys.argv[1:4])
primary = [sys.argv[4:].index(path["destination"]) for path in found["associations"][0]["paths"] if path["primary"]]
received, sent = ([after[name] - before[name] for name in (f"port/port0/{way}_bytes", f"port/port1/{way}_bytes")] for way in ("rx", "tx"))
print("primary:", primary, "bytes received by either link:", received, "sent:", sent)
assert len(primary) == 1 and sent[primary[0]] >= max(100000, 5 * sent[1 - primary[0]])
PY
}

both_active() { wait_for 30 path_is 0 active && wait_for 30 path_is 1 active || { path_is 0 any; return 1; }; }

# link_comes_and_goes NUMBER: under load, which goes on by the other link, and in the end by the first, the primary path's.
link_comes_and_goes() {
  link_down "$1" && wait_for 15 path_is "$1" inactive && go_on $((1 - $1)) ||
    { echo "link $1 is down"; path_is "$1" any; link_up "$1"; return 1; }
  link_up "$1" && wait_for 30 path_is "$1" active && go_on 0 && wait_for 10 on_primary ||
    { echo "link $1 is up again"; path_is "$1" any; on_primary; return 1; }
}
each_link_comes_and_goes() { link_comes_and_goes 0 && link_comes_and_goes 1; }

# as_multihomed_client FAMILY COMMAND...: the command, when both paths are active and our client sends to the peer's server.
as_multihomed_client() {
  local status=0
  use "$1"
  start_peer ready echo 7 --local "${theirs[0]},${theirs[1]}" "${their_pace[@]}" || return 1
  start_our_client "${theirs[0]}" "${theirs[1]}" --size 1-3000 --streams 10 --window 64 "${rate[@]}"
  both_active && "${@:2}" || { cat "$work/client.log" "$peer_log"; status=1; }
  end_our_client || status=1
  kill_peer
  return "$status"
}

# as_multihomed_server FAMILY COMMAND...: the same, and the peer's client sends to our server.
as_multihomed_server() {
  local status=0
  use "$1"
  rm -f "$work/stop"
  start_our_echo
  start_peer pid client "${ours[0]},${ours[1]}" 5001 --local "${theirs[0]},${theirs[1]}" --until "$work/stop" \
    --sizes 1,100,1000,1400,3000 "${their_pace[@]}" "${rate[@]}"
  both_active && "${@:2}" || { cat "$work/echo.log"; status=1; }
  touch "$work/stop"
  wait_for 20 grep -q 'all right' "$peer_log" || status=1
  cat "$peer_log"
  kill_peer
  end_our_echo
  return "$status"
}
