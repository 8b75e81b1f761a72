# usrsctp as the peer, over raw sockets, in the left of two namespaces; our stack in the right one. Sourced.
. tests/net.sh
. tests/interop/capture.sh
. tests/interop/scenarios.sh

net_up
in_ns "$left" sysctl -qw net.ipv6.conf.sl0.disable_ipv6=0
ip -n "$left" address add 198.18.0.2/24 dev sl0
ip -n "$left" address add 2001:db8::2/64 dev sl0 nodad
# The kernel says "protocol unreachable" when usrsctp's raw socket has no room, as if there were none; we would take its word
# for it (RFC 9260 §10, ICMP8). So rarely that it does not happen here:
in_ns "$left" sysctl -qw net.ipv4.icmp_ratelimit=100000000 net.ipv6.icmp.ratelimit=100000000
usrsctp_peer=$build/tests/interop/usrsctp-peer
instance=$right
stack=(ip netns exec "$right")
port=(--device sl0 --address 198.18.0.1/24 --address 2001:db8::1/64 --instance "$instance")
abort_text="the peer aborted it: enough of that"
their_pace=(--pace 200,100,400,300,2)
peers=0

# Each of its processes gets every SCTP packet that arrives, and answers what it does not know: one at a time.
start_peer() {
  local line=$1; shift
  peers=$((peers + 1))
  peer_log=$work/peer-$peers.log
  spawn "$peer_log" ip netns exec "$left" "$usrsctp_peer" "$@"
  peer_pid=$!
  wait_for 60 grep -q "^$line" "$peer_log" || { echo "usrsctp's peer has not got to '$line'"; cat "$peer_log"; return 1; }
}
run_peer() { bounded 240 ip netns exec "$left" "$usrsctp_peer" "$@"; }
kill_peer() { stop "$peer_pid"; true; }
connects() { grep -q '^connecting' "$peer_log"; }  # it has been told the port

# mute: no packet for our stack leaves by the first link any more, until unmute.
mute() {
  ip -n "$left" route add blackhole 198.18.0.1/32 && ip -n "$left" -6 route add blackhole 2001:db8::1/128
}
unmute() {
  ip -n "$left" route delete blackhole 198.18.0.1/32
  ip -n "$left" -6 route delete blackhole 2001:db8::1/128
} 2>/dev/null
