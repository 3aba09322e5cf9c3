# SPDX-License-Identifier: MIT
"""names: from the schema's names to C's."""

import re


def c_name(name):
    """guest-agent-info, supported_commands -> guest_agent_info, supported_commands; a word that C
    knows gets a '_' behind it."""
    name = re.sub(r'[^A-Za-z0-9_]', '_', name)
    return name + '_' if name in _C_WORDS else name


def snake(name):
    """GuestAgentInfo -> guest_agent_info, GuestPCIAddress -> guest_pci_address."""
    name = re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name)
    return re.sub(r'([A-Z])([A-Z][a-z])', r'\1_\2', name).lower()


def camel(name):
    """guest-sync-delimited -> GuestSyncDelimited."""
    return ''.join(part[:1].upper() + part[1:] for part in re.split(r'[-_]', name))


def upper(name):
    """timed-out -> TIMED_OUT."""
    return re.sub(r'[^A-Za-z0-9]', '_', name).upper()


_C_WORDS = frozenset('''
    auto break case char const continue default do double else enum extern float for goto if inline
    int long register restrict return short signed sizeof static struct switch typedef union
    unsigned void volatile while asm typeof unix linux errno
'''.split())
