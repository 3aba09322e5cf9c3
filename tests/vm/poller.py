#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does with a guest's agent what nova's compute service and KubeVirt's virt-launcher do, by
libvirt's Python binding, while other threads freeze the guest and wait for long scripts in it.

Usage: poller.py DOMAIN SECONDS. Prints a JSON object: how often each call was made, what failed,
how often a call was refused because the guest was frozen, and the longest call in seconds.
"""

import json
import sys
import threading
import time

import libvirt
import libvirt_qemu

TIMEOUT = 5  # seconds, KubeVirt's for each call
# How calls are refused while filesystems are frozen: QGA's, and ours.
REFUSED = ("the command is not allowed", "the agent is in frozen state")
GUEST_INFO = (libvirt.VIR_DOMAIN_GUEST_INFO_OS | libvirt.VIR_DOMAIN_GUEST_INFO_TIMEZONE
              | libvirt.VIR_DOMAIN_GUEST_INFO_HOSTNAME)


class Poller:
    def __init__(self, name, seconds):
        self.name = name
        self.end = time.monotonic() + seconds
        self.lock = threading.Lock()
        self.calls = {}
        self.errors = []
        self.refused = 0
        self.longest = 0.0
        self.freezes = 0  # begun or ended: odd while the guest is, or may be, frozen

    def call(self, what, function, *arguments):
        before, started = self.freezes, time.monotonic()
        try:
            return function(*arguments)
        except libvirt.libvirtError as error:
            frozen = before % 2 == 1 or self.freezes != before
            with self.lock:
                if frozen and any(text in str(error) for text in REFUSED):
                    self.refused += 1
                else:
                    self.errors.append(f"{what}: {error}")
            return None
        finally:
            with self.lock:
                self.calls[what] = self.calls.get(what, 0) + 1
                self.longest = max(self.longest, time.monotonic() - started)

    def command(self, domain, execute, **arguments):
        request = {"execute": execute}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value
                                    for key, value in arguments.items()}
        text = self.call(execute, libvirt_qemu.qemuAgentCommand, domain, json.dumps(request),
                         TIMEOUT, 0)
        return None if text is None else json.loads(text)["return"]

    def each(self, interval, domain_function):
        """Calls `domain_function` with a domain on a connection of its own, again and again."""
        connection = libvirt.open()
        domain = connection.lookupByName(self.name)
        while time.monotonic() < self.end:
            domain_function(domain)
            # The pause between two polls is what a poller is made of.
            time.sleep(interval)
        connection.close()

    def kubevirt(self, domain):
        self.command(domain, "guest-info")
        self.command(domain, "guest-fsfreeze-status")
        self.command(domain, "guest-get-fsinfo")
        self.call("guestInfo", domain.guestInfo, GUEST_INFO, 0)
        self.call("users", domain.guestInfo, libvirt.VIR_DOMAIN_GUEST_INFO_USERS, 0)
        self.call("interfaceAddresses", domain.interfaceAddresses,
                  libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)

    def probe(self, domain):
        self.command(domain, "guest-ping")
        started = self.command(domain, "guest-exec", path="/bin/true", capture_output=True)
        status = None if started is None else {"exited": False}
        while status is not None and not status["exited"]:
            time.sleep(0.1)
            status = self.command(domain, "guest-exec-status", pid=started["pid"])

    def nova(self, domain):
        now = time.time()
        self.call("setTime", domain.setTime,
                  {"seconds": int(now), "nseconds": int(now % 1 * 1e9)})

    def long_exec(self, domain):
        started = self.command(domain, "negotiator-exec", command="long", wait=0)
        status = None if started is None else {"exited": False}
        while status is not None and not status["exited"]:
            status = self.command(domain, "negotiator-exec-status", job=started["job"], wait=1)

    def freezer(self, domain):
        with self.lock:
            self.freezes += 1
        self.call("fsFreeze", domain.fsFreeze, None, 0)
        time.sleep(1)
        self.call("fsThaw", domain.fsThaw, None, 0)
        with self.lock:
            self.freezes += 1

    def run(self):
        threads = [threading.Thread(target=self.each, args=arguments) for arguments in (
            (0.5, self.kubevirt), (1, self.probe), (3, self.nova), (0.1, self.long_exec),
            (4, self.freezer))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"calls": self.calls, "errors": self.errors, "refused": self.refused,
                "longest": self.longest}


def main():
    libvirt.registerErrorHandler(lambda context, error: None, None)
    print(json.dumps(Poller(sys.argv[1], float(sys.argv[2])).run()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
