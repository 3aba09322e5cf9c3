# SPDX-License-Identifier: MIT
"""What the tests that need more than one process share: guests, their agents, libvirt.

Standard library only. A test module imports it as `helpers` with PYTHONPATH=SOURCE/tests (Meson
sets it; to run one by hand, see docs/testing.md).
"""
