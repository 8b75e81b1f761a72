# What every peer of the interop tier goes through. Sourced, after tests/script.sh, by what brings a peer:
#
#   start_peer LINE ARGUMENT...   starts the peer's program, without waiting for its end, until its output has LINE
#   run_peer ARGUMENT...          runs it to its end; its status
#   kill_peer                     ends the one that was started
#   $peer_log                     the output of the one that was started
#   ${stack[@]} ${port[@]}        how a program of ours is started beside it: command in front, options
#   $instance                     the name of our stack
#   $abort_text                   how our programs tell of an ABORT by the peer
#
# and, for what needs them:
#
#   mute, unmute                  no packet of the peer's leaves, until it may again
#   connects PORT                 the client that was started has begun to connect from that port of its own
#   tidy_up                       takes away what a failed check has left running or in the way
#   ${their_pace[@]}              options with which the peer's timers run as fast as ours

# our_client PEER OPTION...: sends messages to the echoing peer's port $peer_port, and checks what comes back.
peer_port=7
our_client() {
  local status=0
  bounded 240 "${stack[@]}" "$perf" client "$1" --port "$peer_port" --latency --quiet --json "${port[@]}" "${@:2}" \
    >"$work/client.json" 2>"$work/client.log" || status=$?
  cat "$work/client.json" "$work/client.log"
  return "$status"
}

# start_our_client PEER OPTION...: the same until end_our_client.
start_our_client() {
  "${stack[@]}" "$perf" client "$1" --port "$peer_port" --latency --quiet --json --duration 300 "${port[@]}" "${@:2}" \
    >"$work/client.json" 2>"$work/client.log" </dev/null &
  our_client=$!
}
# It ends in peace, and everything that it sent came back.
end_our_client() {
  local status
  stop "$our_client" INT
  status=$?
  cat "$work/client.json" "$work/client.log"
  [ "$status" = 0 ] && clean_result "$work/client.json" 0
}

# start_our_echo OPTION...: our server, on port 5001.
start_our_echo() {
  spawn "$work/echo.log" "${stack[@]}" "$echo_app" --port 5001 --verbose "${port[@]}" "$@"
  our_echo=$!
  wait_for 20 grep -q listening "$work/echo.log" && return
  cat "$work/echo.log"
  echo "not ok our server starts"
  exit 1
}
end_our_echo() { stop "$our_echo"; }

# their_client ADDRESS ARGUMENT...: the peer sends to our server and checks.
their_client() { run_peer client "$1" 5001 "${@:2}" || { cat "$work/echo.log"; false; }; }

as_client() { our_client "$1" "${@:2}" && clean_result "$work/client.json" "$messages"; }

# problem TEXT: the client's result names this problem.
problem() {
  python3 - "$work/client.json" "$1" <<'PY'
import json, sys
problems = [one["what"] for one in json.load(open(sys.argv[1]))["problems"]]
assert any(sys.argv[2] in one for one in problems), problems
PY
}

# right_until LEAST MOST: our client ended early, and everything up to there was right.
right_until() {
  python3 - "$work/client.json" "$@" <<'PY'
import json, sys
result = json.load(open(sys.argv[1]))
assert int(sys.argv[2]) <= result["messages"] <= int(sys.argv[3]), "messages"
for key in ("corrupted", "misordered", "duplicated"): assert result[key] == 0, key
PY
}

# peer_ends SHUTDOWN-OR-ABORT MESSAGES ADDRESS OPTION...: the peer's server does that after so many messages; how our client sends.
peer_ends() {
  local status=0 peer_port=9
  start_peer ready echo 9 --after "$2" --then "$1" || { kill_peer; return 1; }
  our_client "$3" --messages 1000000 --streams 4 "${@:4}" || status=$?
  kill_peer
  cat "$peer_log"
  [ "$status" = 1 ]
}
small=(--window 8 --size 1-3000)
# What it echoed before arrives.
peer_shuts_down() { peer_ends shutdown 500 "$1" "${small[@]}" && problem "the peer shut it down" && right_until 500 500; }
# There is always a message of which only a part is queued: it must have its end, or the association has none.
peer_shuts_down_amid() {
  peer_ends shutdown 20 "$1" --window 1000 --size 500000-1000000 --set parameters.send_buffer=1MiB &&
    problem "the peer shut it down" && right_until 20 20
}
# What it echoed last may be lost.
peer_aborts() { peer_ends abort 500 "$1" "${small[@]}" && problem "$abort_text" && right_until 400 500; }

# told TEXT: how many times our server has told of that.
told() { grep -c -- "$1" "$work/echo.log"; }
told_more() { [ "$(told "$1")" -gt "$2" ]; }

# The peer's client does so after 500 messages; our server takes the next one as if nothing had been.
peer_client_aborts() {
  local text="lost: $abort_text\$" before
  before=$(told "$text")
  their_client "$1" --then abort --after 500 && wait_for 10 told_more "$text" "$before" && their_client "$1" --messages 100
}
peer_client_shuts_down() {
  local shut closed
  wait_for 10 all_ended || return 1  # clients before this one
  shut=$(told 'shut down by the peer') closed=$(told ' closed$')
  their_client "$1" --messages 500 && wait_for 10 told_more 'shut down by the peer' "$shut" && wait_for 10 told_more ' closed$' "$closed"
}
all_ended() { [ "$(told ' up$')" = $(($(told ' closed$') + $(told ' lost: '))) ]; }

# association FIELD: of the only association that our stack has.
association() {
  bounded 30 "$ctl" --instance "$instance" --json associations >"$work/associations.json" || return 1
  python3 -c 'import json,sys
found = json.load(open(sys.argv[1]))["associations"]
assert len(found) == 1, found
print(found[0][sys.argv[2]])' "$work/associations.json" "$1"
}

# settled BYTES: there is more than that to send, and nothing moved for a second.
settled() {
  local before after
  before=$(association buffered_bytes) && sleep 1 && after=$(association buffered_bytes) && [ "$before" = "$after" ] && [ "$after" -gt "$1" ]
}

# The peer's client reads nothing, then shuts down: we have more than a window to send yet, and all of it arrives.
shut_down_while_we_send() {
  rm -f "$work/go"
  start_peer sent burst "$1" 5001 --messages 48 --sizes 65536 --go "$work/go" || return 1
  wait_for 15 settled 1000000 || { association buffered_bytes; cat "$peer_log"; kill_peer; return 1; }
  echo "$(association buffered_bytes) bytes to send"
  touch "$work/go"
  wait_for 60 grep -q 'all right' "$peer_log" || { cat "$peer_log" "$work/echo.log"; kill_peer; return 1; }
}

impatient=(--set parameters.rto_min=100ms --set parameters.rto_initial=200ms --set parameters.rto_max=400ms
  --set parameters.association_max_retransmissions=1000)  # but patient with a peer that is silent for a while

# tidily COMMAND...: if it fails, what it has left running or in the way is taken away, so that those after it do not fail too.
tidily() {
  local status=0
  "$@" || status=$?
  [ "$status" = 0 ] || tidy_up
  return "$status"
}

# probed PROBES TRIES: the window is closed; since these were counted, there was a probe, and another or the same again and again.
# (The kernel drops what it has no room for. usrsctp takes a chunk more, and its window stays closed.)
probes=(association/window_probes_sent association/t3_expired)
probed() {
  [ "$(association peer_window)" = 0 ] && at_least $(($1 + 1)) "$instance" "${probes[0]}" && at_least $(($2 + 4)) "$instance" "${probes[@]}"
}

# The peer reads no more: its window closes, we probe it again and again, and everything goes on when it reads.
zero_window() {
  rm -f "$work/go"
  start_peer ready echo 8 --after 200 --then pause --go "$work/go" || return 1
  peer_port=8 start_our_client "$1" --size 1400 --streams 4 --window 2000 "${impatient[@]}"
  wait_for 15 probed 0 0 || { probed 0 0; cat "$peer_log" "$work/client.log" "$work/associations.json"; return 1; }
  touch "$work/go"
  wait_for 15 at_least 4000 "$instance" association/ordered_chunks_received || { cat "$peer_log" "$work/client.log"; return 1; }
  end_our_client || { cat "$peer_log"; return 1; }
  kill_peer
}
# It is the client, which sends 2000 messages on and reads none of our server's echoes.
zero_window_of_client() {
  local before
  rm -f "$work/go"
  wait_for 10 all_ended && before=("$(counter "$instance" "${probes[0]}")" "$(counter "$instance" "${probes[@]}")") || return 1
  start_peer "pause after 200" client "$1" 5001 --messages 4000 --sizes 1400 --streams 4 --window 2000 --after 200 --then pause \
    --go "$work/go" || return 1
  wait_for 15 probed "${before[@]}" || { probed "${before[@]}"; cat "$peer_log" "$work/echo.log" "$work/associations.json"; return 1; }
  touch "$work/go"
  wait_for 30 grep -q '^4000 messages sent and echoed, all right' "$peer_log" || { cat "$peer_log" "$work/echo.log"; return 1; }
}

# The peer's server is killed and nothing tells us so: what we send on is out of the blue to the next one on that port.
server_comes_back() {
  local messages=500
  start_peer ready echo 7 || return 1
  start_our_client "$1" --size 1-1000 --streams 4 --window 16 "${impatient[@]}"
  wait_for 20 at_least 500 "$instance" association/ordered_chunks_received || { cat "$work/client.log"; return 1; }
  mute && kill_peer && start_peer ready echo 7 && unmute || return 1
  ended "$our_client" 60 || { echo "our client has not noticed"; stop "$our_client"; return 1; }
  cat "$work/client.json"
  problem "the peer aborted it" && right_until 500 1000000000 && as_client "$1" --messages $messages --size 1-1000 &&
    kill_peer
}

# The peer's client is killed and nothing tells us so. The next one has its port: to us, the peer restarts. It has begun to
# connect before a word of the peer's leaves again: else what we send meanwhile is out of the blue there, and the ABORT is first.
client_restarts() {
  local before
  before=$(told restarted)
  start_peer pid client "$1" 5001 "${their_pace[@]}" --local-port 7003 --until "$work/never" --sizes 1,100,1000 || return 1
  wait_for 20 grep -q granted "$peer_log" && wait_for 60 association state || return 1
  mute && kill_peer && start_peer pid client "$1" 5001 "${their_pace[@]}" --local-port 7003 --messages 500 &&
    wait_for 20 connects 7003 && unmute || return 1
  wait_for 60 grep -q 'all right' "$peer_log" || { cat "$peer_log" "$work/echo.log"; return 1; }
  [ "$(told restarted)" = $((before + 1)) ] && at_least $((before + 1)) "$instance" association/restarts
}

# many_streams GRANTED ADDRESS OPTION...: the peer's client offers all there are.
many_streams() { their_client "$2" --streams 65535 "${@:3}" >"$work/streams" && cat "$work/streams" && grep -q "^$1 streams granted" "$work/streams"; }
