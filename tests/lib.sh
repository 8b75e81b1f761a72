# What tests/run and the scripts of the e2e and interop tiers share. Sourced, from the top of the tree.

logs=${SLUICE_LOGS:-$PWD/build/test-logs}
mkdir -p "$logs"
passed=0
failed=0
failures=()
started=$SECONDS
exec {console}>&1  # where the result goes, even if a signal comes while output is going elsewhere

say() { printf '[%4ds] %s\n' $((SECONDS - started)) "$*"; }
die() { echo "$(basename "$0"): $*" >&2; exit 2; }

# attended COMMAND...: runs it in a process group of its own and waits for it, so that a signal to us ends all of it, and at once.
group=
attended() {
  local status=0
  set -m
  "$@" </dev/null {console}>&- &
  group=$!
  set +m
  wait "$group" || status=$?
  group=
  return "$status"
}

# A signal came: ends what runs, which cleans up behind itself; then `finish` counts what there is.
interrupted() {
  trap '' INT TERM
  exec >&"$console"
  if [ -n "$group" ]; then
    kill -TERM -- "-$group" 2>/dev/null || true
    for _ in $(seq 400); do kill -0 -- "-$group" 2>/dev/null || break; sleep 0.1; done
    kill -KILL -- "-$group" 2>/dev/null || true
    wait "$group" 2>/dev/null || true
  fi
  failed=$((failed + 1)); failures+=("interrupted")
  exit 130
}

# step NAME COMMAND...: something that must succeed for the rest to make sense.
step() {
  local name=$1 log; shift
  log="$logs/$(tr -cs 'A-Za-z0-9\n' '-' <<<"$name").log"
  say "$name"
  if ! attended "$@" >"$log" 2>&1; then
    tail -40 "$log"
    say "$name: failed; the whole output is in $log"
    failed=$((failed + 1)); failures+=("$name")
    return 1
  fi
}

# run_check NAME COMMAND...: one check, counted. Its output is shown when it fails.
run_check() {
  local name=$1 log begun=$SECONDS; shift
  log="$logs/$(tr -cs 'A-Za-z0-9\n' '-' <<<"$name").log"
  if attended "$@" >"$log" 2>&1; then
    passed=$((passed + 1)); say "ok      $name ($((SECONDS - begun)) s)"
  else
    failed=$((failed + 1)); failures+=("$name")
    say "FAILED  $name ($((SECONDS - begun)) s)"; tail -60 "$log"
  fi
}

# run_scripts DIR: each executable DIR/*.test is a script of several checks, which it reports by lines "ok NAME" and "not ok NAME".
# Those named *.long.test are for --long.
run_scripts() {
  local script name log line before status
  for script in "$1"/*.test; do
    [ -x "$script" ] || continue
    [[ $script != *.long.test || $SLUICE_LONG = 1 ]] || continue
    name="$(basename "$1")/$(basename "$script" .test)"
    log="$logs/${name//\//-}.log"
    say "Tests: $name"
    before=$((passed + failed))
    attended timeout -k 30 "${SLUICE_SCRIPT_TIMEOUT:-1500}" "$script" >"$log" 2>&1 && status=0 || status=$?
    while IFS= read -r line; do
      case "$line" in
        "ok "*) passed=$((passed + 1)); say "ok      $name: ${line#ok }" ;;
        "not ok "*) failed=$((failed + 1)); failures+=("$name: ${line#not ok }"); say "FAILED  $name: ${line#not ok }" ;;
      esac
    done <"$log"
    if [ $((passed + failed)) = "$before" ] || { [ "$status" != 0 ] && ! grep -q '^not ok ' "$log"; }; then
      failed=$((failed + 1)); failures+=("$name (exit $status)"); say "FAILED  $name ended with status $status"
    fi
    if grep -q '^not ok ' "$log" || [ "$status" != 0 ]; then grep -v '^ok ' "$log" | tail -60; fi
  done
}

# meson_tier DIR SUITE: runs a suite of meson's tests, and counts every googletest case and every other program in it.
meson_tier() {
  local dir=$1 suite=$2 log name="$2 in $1" status=0 numbers good bad names
  log="$logs/$(basename "$dir")-$suite.log"
  say "Tests: $suite ($dir)"
  # What a program left that crashes this time, or a meson that ends early, must not be counted again.
  rm -f "$dir"/*.xml "$dir/meson-logs/$suite".{junit.xml,json,txt}
  # Sanitized and on a busy machine, tests may take several times what they take otherwise.
  attended meson test -C "$dir" --no-rebuild --suite "$suite" --timeout-multiplier "${SLUICE_PATIENCE:-5}" --logbase "$suite" \
    --print-errorlogs >"$log" 2>&1 || status=$?
  if ! numbers=$(tests/count-results "$dir" "$suite"); then
    failed=$((failed + 1)); failures+=("$name: no report, meson ended with status $status"); tail -40 "$log"; return 0
  fi
  read -r good bad names <<<"$numbers"
  if [ "$status" != 0 ] && [ "$bad" = 0 ]; then bad=1 names="meson ended with status $status"; fi
  if [ "$good" = 0 ] && [ "$bad" = 0 ]; then bad=1 names="no test ran"; fi
  passed=$((passed + good)); failed=$((failed + bad))
  say "        $name: $good passed, $bad failed"
  [ "$bad" = 0 ] || { failures+=("$name: $names"); grep -E 'FAILED|Failure|ERROR|TIMEOUT|Sanitizer' -A12 "$log" | head -80 || true; }
}

finish() {
  local status=$?
  trap - EXIT
  [ "$status" != 0 ] && [ "$failed" = 0 ] && failed=1
  for name in "${failures[@]}"; do echo "failed: $name"; done
  say "done"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] || exit 1
  exit 0
}
