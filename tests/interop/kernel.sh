# The Linux kernel as the peer, in a guest of its own, whose first link our stack is on. Sourced.
. tests/script.sh
. tests/interop/capture.sh
. tests/interop/scenarios.sh

export KP_NS=sl-kernel-$$ KP_TIMEOUT=240
guest=tests/interop/kernel-peer
socket_peer=$build/tests/interop/socket-peer
instance=$KP_NS
stack=(ip netns exec "$KP_NS")
# What goes past the queueing disciplines, as it does by default, is not seen by tcpdump.
seen=(--set 'port.0.arguments="qdisc_bypass=0"')
port=(--device kp0 "${seen[@]}" --address 198.18.0.1/24 --address 2001:db8::1/64 --instance "$instance")
abort_text="the peer aborted it"
their_pace=()  # the guest has it from start_guest
at_exit "$guest down"

# start_guest SETTING...
start_guest() { "$guest" up "$@" || { echo "not ok the kernel peer starts"; exit 1; }; }

# in_guest COMMAND: a shell command there.
in_guest() { bounded 240 "$guest" run "$1"; }

start_peer() {
  local line=$1; shift
  peer_log=$("$guest" start "exec $socket_peer $*")
  wait_for 60 grep -q "^$line" "$peer_log" || { echo "the kernel's peer has not got to '$line'"; cat "$peer_log"; return 1; }
}
run_peer() { in_guest "$socket_peer $*"; }
kill_peer() { in_guest "kill -KILL $(sed -n 's/^pid //p' "$peer_log") 2>/dev/null; true"; }

# mute: no SCTP packet leaves the guest by its first link any more, until unmute.
mute() {
  in_guest 'tc qdisc replace dev vec0 clsact && for family in ip ipv6; do
    tc filter add dev vec0 egress protocol $family flower ip_proto sctp action drop || exit 1; done'
}
unmute() { in_guest 'tc qdisc delete dev vec0 clsact'; }

# impair LINK NETEM-OPTION...: does that to what leaves the guest by that link, 0 or 1, and to what comes in there, until heal LINK.
impair() {
  local out=vec$1 in=ifb$1; shift
  in_guest "tc qdisc delete dev $out ingress 2>/dev/null
    ip link set $in up && tc qdisc replace dev $out root netem $* && tc qdisc replace dev $in root netem $* && tc qdisc add dev $out ingress &&
    tc filter add dev $out ingress protocol all matchall action mirred egress redirect dev $in"
}
heal() { in_guest "tc qdisc delete dev vec$1 ingress; tc qdisc delete dev vec$1 root; tc qdisc delete dev ifb$1 root; true"; }
