# Two hosts on one machine, for the scripts of the e2e tier. Sourced.
#
# net_up makes the network namespaces $left and $right joined by a veth named sl0 in both; they go when the script ends.

. tests/script.sh

left=sl-left-$$
right=sl-right-$$

net_down() {
  ip netns delete "$left" 2>/dev/null || true
  ip netns delete "$right" 2>/dev/null || true
}
at_exit net_down

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
