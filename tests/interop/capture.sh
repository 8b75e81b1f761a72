# What went over the wire, written down by tcpdump and judged by tshark. Sourced, after tests/script.sh.

# Nothing above SCTP is looked into: PPIDs here are sequence numbers, and name other protocols by accident.
export WIRESHARK_CONFIG_DIR=$work/wireshark
mkdir "$WIRESHARK_CONFIG_DIR"
tshark -G protocols 2>"$work/tshark.log" | cut -f3 | grep -vxE 'frame|eth|ethertype|ip|ipv6|sctp|data|_ws\..*' >"$WIRESHARK_CONFIG_DIR/disabled_protos"
dissect=(-n -o 'sctp.checksum:CRC 32c')
capturing=()

# capture NAMESPACE DEVICE: from now on, into $work/DEVICE.pcap.
capture() {
  spawn "$work/tcpdump-$2.log" ip netns exec "$1" tcpdump -i "$2" -s 0 -w "$work/$2.pcap" -U sctp
  capturing+=("$!")
  wait_for 20 grep -q listening "$work/tcpdump-$2.log"
}

end_captures() {
  local tcpdump
  sleep 0.5
  for tcpdump in "${capturing[@]}"; do stop "$tcpdump"; done
  capturing=()
}

# well_formed CAPTURE LEAST: as many SCTP packets at least from each side, all good. Our addresses end in .1 or :1. Fails for a packet whose CRC32c tshark does not find good,
# or which it cannot take apart, or that has none; and when tshark itself fails, which is how it answers a field that it does
# not know.
faults='sctp && (sctp.checksum.status != "Good" || _ws.malformed)'
well_formed() {
  local file=$1 least=$2 ours theirs bad
  tshark "${dissect[@]}" -r "$file" -Y sctp -T fields -e ip.src -e ipv6.src >"$work/sources" || return 1
  ours=$(grep -cE '[.:]1\s*$' "$work/sources")
  theirs=$(grep -cvE '[.:]1\s*$' "$work/sources")
  bad=$(tshark "${dissect[@]}" -r "$file" -Y "$faults") || return 1
  echo "$ours packets of ours, $theirs of the peer's"
  [ "$ours" -ge "$least" ] && [ "$theirs" -ge "$least" ] || return 1
  [ -z "$bad" ] || { head -20 <<<"$bad"; return 1; }
}
