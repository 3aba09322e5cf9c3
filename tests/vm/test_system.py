# SPDX-License-Identifier: MIT
"""system: processors and memory that a guest's agent switches, in a guest whose they are."""

import sys

from helpers import tap
from helpers.case import GuestCase
from helpers.guest import Guest
from helpers.qga import QgaError

# The kernel stops all processors for it, under TCG on a busy machine.
PATIENCE = 120
CPU = "/sys/devices/system/cpu"
MEMORY = "/sys/devices/system/memory"


class System(GuestCase):
    @classmethod
    def make_guest(cls):
        return Guest(arguments=("-smp", "2"))

    def setUp(self):
        super().setUp()
        self.client = self.connect()

    def ask(self, name, **arguments):
        return self.client.command(name, timeout=PATIENCE, **arguments)

    def processors(self):
        return {cpu["logical-id"]: cpu for cpu in self.ask("guest-get-vcpus")}

    def switch(self, *wishes):
        return self.ask("guest-set-vcpus", vcpus=[{"logical-id": number, "online": online}
                                                  for number, online in wishes])

    def test_processor_goes_and_comes(self):
        if not self.processors()[1]["can-offline"]:
            self.skipTest("this kernel does not switch processors")
        self.assertEqual(self.switch((1, False)), 1)
        self.assertEqual(self.guest.control.check(f"cat {CPU}/cpu1/online").strip(), "0")
        self.assertFalse(self.processors()[1]["online"])
        self.assertEqual([row["cpu"] for row in self.ask("guest-get-cpustats")], [0])
        self.assertEqual(self.switch((1, True), (0, True)), 2)
        self.assertEqual(self.guest.control.check(f"cat {CPU}/cpu1/online").strip(), "1")
        self.assertEqual([row["cpu"] for row in self.ask("guest-get-cpustats")], [0, 1])

    def test_first_processor_stays(self):
        processors = self.processors()
        if processors[0]["can-offline"] or not processors[1]["can-offline"]:
            self.skipTest("this kernel switches other processors than usual")
        with self.assertRaisesRegex(QgaError, "^logical processor #0 can't be offlined$"):
            self.switch((0, False))
        # What was done counts; what is behind the failure is left alone.
        self.assertEqual(self.switch((1, False), (0, False), (1, True)), 1)
        self.assertFalse(self.processors()[1]["online"])
        self.assertEqual(self.switch((1, True)), 1)

    def test_memory_blocks(self):
        blocks = {block["phys-index"]: block for block in self.ask("guest-get-memory-blocks")}
        if not blocks:
            self.skipTest("this kernel has no blocks of memory")
        size = self.ask("guest-get-memory-block-info")["size"]
        self.assertEqual(
            size, int(self.guest.control.check(f"cat {MEMORY}/block_size_bytes").strip(), 16))
        last = max(blocks)
        answers = self.ask("guest-set-memory-blocks", mem_blks=[
            {"phys-index": last, "online": False}, {"phys-index": 1 << 40, "online": True}])
        self.assertEqual(answers[1],
                         {"phys-index": 1 << 40, "response": "not-found", "error-code": 2})
        self.assertEqual(answers[0]["phys-index"], last)
        # The kernel may not be able to move what is in it.
        state = self.guest.control.check(f"cat {MEMORY}/memory{last}/state").strip()
        if answers[0]["response"] == "success":
            self.assertEqual(state, "offline")
        else:
            self.assertIn("error-code", answers[0])
        self.assertEqual(self.ask("guest-set-memory-blocks",
                                  mem_blks=[{"phys-index": last, "online": True}]),
                         [{"phys-index": last, "response": "success"}])


if __name__ == "__main__":
    sys.exit(tap.main())
