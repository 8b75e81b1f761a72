"""What the benchmarks share: network namespaces, children whose processor time is known, and the results of sluice-perf."""
import json
import os
import signal
import subprocess
import tempfile
import time

BUILD = os.environ.get("SLUICE_BUILD", os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "build"))
PERF = os.path.join(BUILD, "apps/sluice-perf")
CTL = os.path.join(BUILD, "apps/sluice-ctl")


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def sysctl(namespace, setting):
    run("ip", "netns", "exec", namespace, "sysctl", "-qw", setting)


def prepare(namespace, interface):
    """Brings an interface up for a stack that goes round the kernel."""
    sysctl(namespace, f"net.ipv6.conf.{interface}.disable_ipv6=1")
    subprocess.run(["ip", "netns", "exec", namespace, "ethtool", "-K", interface, "tx-checksum-sctp", "off", "gso", "off"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    run("ip", "-n", namespace, "link", "set", interface, "up")


class Process:
    """A child whose processor time is known when it has ended. All that still run are ended by stop_all()."""

    running = []

    def __init__(self, command, namespace=None):
        if namespace:
            command = ["ip", "netns", "exec", namespace] + command
        self.out = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(command, stdout=self.out, stderr=subprocess.STDOUT, stdin=subprocess.PIPE)
        self.cpu = 0.0
        Process.running.append(self)

    def wait(self, timeout):
        """Until it ends; after `timeout` seconds it is killed. What it printed."""
        deadline = time.monotonic() + timeout
        while self in Process.running and time.monotonic() < deadline:
            self.reap(os.WNOHANG)
            time.sleep(0.02)
        if self in Process.running:
            self.child.kill()
            self.reap(0)
        return self.text()

    def reap(self, options):
        if self not in Process.running:
            return
        pid, status, usage = os.wait4(self.child.pid, options)
        if pid == 0:
            return
        Process.running.remove(self)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime

    def stop(self, number=signal.SIGTERM, patience=10):
        if self in Process.running:
            os.kill(self.child.pid, number)
        return self.wait(patience)

    def wait_until(self, ready, what, timeout=30):
        """Until ready(self) is true."""
        deadline = time.monotonic() + timeout
        while not ready(self):
            self.reap(os.WNOHANG)
            if self not in Process.running or time.monotonic() > deadline:
                raise SystemExit(f"bench: a program is not {what}; it said:\n" + self.stop())
            time.sleep(0.05)

    def text(self):
        self.out.seek(0)
        return self.out.read()

    @staticmethod
    def stop_all():
        for one in list(Process.running):
            one.stop(signal.SIGTERM, 10)


def perf_result(process, text):
    """What a sluice-perf that has ended says; ends the benchmark if a message went wrong, or the program."""
    result = last_json(text)
    wrong = [field for field in ("lost", "corrupted", "misordered", "duplicated", "problems") if result[field]]
    if wrong or process.child.returncode != 0:
        raise SystemExit(f"bench: sluice-perf ended with {process.child.returncode} and found {wrong or 'nothing'} wrong: {result}")
    return result


def last_json(text):
    lines = [line for line in text.splitlines() if line.startswith("{")]
    if not lines:
        raise SystemExit("bench: a program failed; it said:\n" + text)
    return json.loads(lines[-1])
