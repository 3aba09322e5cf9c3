# SPDX-License-Identifier: MIT
"""schema: the schema of the commands, for tests: what there is, and whether a result is as promised.

The generator's own parser reads it, so that no second one can be wrong.
"""

import functools
import sys

from helpers.build import SOURCE_ROOT

sys.path.append(str(SOURCE_ROOT / "qapi" / "gen"))

# pylint: disable=wrong-import-position
from check import check as _check  # noqa: E402
from parser import Parser  # noqa: E402
from schema import Alternate, Array, Enum, Struct  # noqa: E402

_RANGES = {f"{sign}int{bits}": (0 if sign else -(1 << bits - 1), (1 << bits - (not sign)) - 1)
           for sign in ("", "u") for bits in (8, 16, 32, 64)}
_RANGES |= {"int": _RANGES["int64"], "size": _RANGES["uint64"]}


@functools.cache
def _read():
    return _check(Parser(str(SOURCE_ROOT / "qapi" / "negotiator-schema.json")))


@functools.cache
def commands():
    """Name to Command (qapi/gen/schema.py)."""
    return {command.name: command for command in _read().commands}


def _is_scalar(name, value):
    if name == "str":
        return isinstance(value, str)
    if name == "bool":
        return isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    low, high = _RANGES[name]
    return type(value) is int and low <= value <= high


def _find(a_type, value, path):
    """What is wrong with `value`: lines."""
    if isinstance(a_type, Array):
        if not isinstance(value, list):
            return [f"{path} is no list"]
        return [line for number, item in enumerate(value)
                for line in _find(a_type.element, item, f"{path}[{number}]")]
    if isinstance(a_type, Struct):
        if not isinstance(value, dict):
            return [f"{path} is no object"]
        members = {member.name: member for member in a_type.members}
        lines = [f"{path}.{name} is not in {a_type.name}" for name in value if name not in members]
        for name, member in members.items():
            if name in value:
                lines += _find(member.type, value[name], f"{path}.{name}")
            elif not member.optional:
                lines.append(f"{path}.{name} is missing")
        return lines
    if isinstance(a_type, Enum):
        return [] if value in [item.name for item in a_type.values] else [
            f"{path} is {value!r}, which is not in {a_type.name}"]
    if isinstance(a_type, Alternate):
        branches = [_find(member.type, value, path) for member in a_type.members]
        return [] if [] in branches else [f"{path} is no {a_type.name}"]
    return [] if _is_scalar(a_type.name, value) else [f"{path} is {value!r}, no {a_type.name}"]


def find_faults(name, value):
    """What is wrong with `value` as the result of command `name`: lines."""
    returns = commands()[name].returns
    if returns is None:
        return [] if value == {} else ["return is not {}"]
    return _find(returns, value, "return")


def find_event_faults(event):
    """What is wrong with `event`, a message from an agent: lines."""
    known = {one.name: one for one in _read().events}
    if event.get("event") not in known:
        return [f"event {event.get('event')!r} is not in the schema"]
    timestamp = event.get("timestamp")
    if set(event) != {"event", "data", "timestamp"} or not isinstance(timestamp, dict) or set(
            timestamp) != {"seconds", "microseconds"}:
        return ["the event has not the members of QMP's"]
    return _find(known[event["event"]].data, event["data"], "data")
