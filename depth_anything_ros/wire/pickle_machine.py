# Copyright 2026 the depth_anything_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""A stack machine for pickle opcodes that builds plain values and never calls anything."""

from __future__ import annotations

from itertools import islice
import pickletools
from typing import Callable, Iterator

from depth_anything_ros.errors import InvalidRequest, PayloadTooLarge
from depth_anything_ros.wire.inert import (
    Arguments,
    ArrayType,
    Global,
    LongText,
    matches,
    seen,
    shown,
    Unfinished,
)
from depth_anything_ros.wire.limits import DEFAULT_LIMITS, Limits
from depth_anything_ros.wire.pickle_containers import Containers
from depth_anything_ros.wire.pickle_input import Input, NAME_BYTES
from depth_anything_ros.wire.pickle_objects import Objects
from depth_anything_ros.wire.pickle_runs import array_runs, Run

PROTOCOLS = range(2, 6)

NAMES = {ord(opcode.code): opcode.name for opcode in pickletools.opcodes}
CODES = {name: code for code, name in NAMES.items()}

IN_ARGUMENTS = frozenset({Global, ArrayType, LongText})
"""Types of the marks that may be arguments of a call; none has subclasses."""


class Machine:
    """Reads one pickle; one opcode is one step, and the number of steps is limited."""

    def __init__(self, data: memoryview, limits: Limits) -> None:
        """
        Start before the first opcode.

        :param data: the whole message, read-only bytes.
        :param limits: how much it may hold.
        """
        self.input = Input(data)
        self._limits = limits
        self._text_budget = limits.text_bytes
        self._stack: list[object] = []
        self.push = self._stack.append
        self._floor = 0  # the height of the stack at the last mark
        self._marks: list[int] = []
        self._counts = True  # whether all that is remembered has the numbers 0, 1, 2, ...
        self.memo: dict[int, object] = {}
        self._steps: Iterator[int] = iter(range(limits.operations))
        self._containers = Containers(limits)
        self._objects = Objects(len(data), limits.pixels)

    def run(self) -> object:
        """
        Return the value that the pickle stands for.

        :raises InvalidRequest: when it is broken or asks for more than plain values.
        :raises PayloadTooLarge: when it goes beyond a limit.
        """
        if self.input.byte() != CODES['PROTO'] or self.input.byte() not in PROTOCOLS:
            raise InvalidRequest(
                f'message is not a pickle of protocol {PROTOCOLS[0]} to {PROTOCOLS[-1]}')
        # One opcode costs about as much as a call: the cursor is moved here, not by a method.
        source, step_of = self.input, STEPS.get
        data, size = source.data, len(source.data)
        for _ in self._steps:
            at = source.at
            if at >= size:
                source.take(1)
            source.at = at + 1
            code = data[at]
            step = step_of(code)
            if step is None:
                if code == CODES['STOP']:
                    return self._stop()
                raise InvalidRequest(
                    f'pickle opcode {NAMES.get(code, hex(code))} at byte {self.input.at - 1} '
                    'is not accepted')
            step(self)
        raise PayloadTooLarge(f'pickle of more than {self._limits.operations} operations')

    def pop(self) -> object:
        """Take the value on top of the stack, never one below the last mark."""
        if len(self._stack) <= self._floor:
            raise InvalidRequest(f'pickle takes a value that is not there: byte {self.input.at}')
        return self._stack.pop()

    def top(self) -> object:
        """Return the value on top of the stack, never one below the last mark."""
        if len(self._stack) <= self._floor:
            raise InvalidRequest(f'pickle uses a value that is not there: byte {self.input.at}')
        return self._stack[-1]

    def mark(self) -> None:
        """Close off the stack below."""
        self._marks.append(self._floor)
        self._floor = len(self._stack)

    def pop_to_mark(self) -> list[object]:
        """Take all values above the last mark, and the mark."""
        if not self._marks:
            raise InvalidRequest(f'pickle takes a mark that is not there, at byte {self.input.at}')
        items = self._stack[self._floor:]
        del self._stack[self._floor:]
        self._floor = self._marks.pop()
        return items

    def text(self, size: int) -> None:
        """Push the next ``size`` bytes as text, undecoded where they are beyond the budget."""
        data = self.input.take(size)
        if size > self._text_budget:
            self.push(LongText(data))
            return
        self._text_budget -= size
        try:
            self.push(str(data, 'utf-8'))
        except UnicodeDecodeError as error:
            raise InvalidRequest(f'text at byte {self.input.at - size} is not UTF-8') from error

    def frame(self) -> None:
        """Skip the length of a frame, which must be inside the message."""
        size = self.input.unsigned(8)
        if size > self.input.left:
            raise InvalidRequest(f'pickle frame of {size} bytes; {self.input.left} are there')

    def name_lines(self) -> None:
        """Push the name that GLOBAL spells in two lines."""
        self._name(self.input.line(), self.input.line())

    def name_stack(self) -> None:
        """Push the name whose two parts are on the stack."""
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise InvalidRequest(f'pickle names {seen(module)} and {seen(name)}; accepted: text')
        self._name(module, name)

    def new_tuple(self, items: list[object]) -> None:
        """Push a tuple, or the arguments of a call when an item has no meaning by itself."""
        if IN_ARGUMENTS.isdisjoint(map(type, items)):
            self.push(self._containers.new_tuple(items))
        else:
            self.push(self._arguments(items))

    def tuple_of(self, size: int) -> None:
        """Push a tuple of the last ``size`` values."""
        start = len(self._stack) - size
        if start < self._floor:
            raise InvalidRequest(f'pickle takes a value that is not there: byte {self.input.at}')
        items = self._stack[start:]
        del self._stack[start:]
        self.new_tuple(items)

    def new_list(self) -> None:
        """Push an empty list."""
        self.push(self._containers.new_list())

    def new_dict(self) -> None:
        """Push an empty dict."""
        self.push(self._containers.new_dict())

    def append(self, items: list[object]) -> None:
        """Append items to the list below them."""
        self._containers.extend(self.top(), items)

    def set_items(self, items: list[object]) -> None:
        """Set items of the dict below them."""
        self._containers.update(self.top(), items)

    def put(self, key: int) -> None:
        """Remember the value on top of the stack."""
        if len(self._stack) <= self._floor:
            raise InvalidRequest(f'pickle stores a value that is not there: byte {self.input.at}')
        value = self._stack[-1]
        self.memo[key] = value
        if type(value) is Unfinished:
            value.memo_keys.append(key)

    def memoize(self) -> None:
        """Remember the value on top of the stack under the next number."""
        self.put(len(self.memo))

    def put_at(self, key: int) -> None:
        """Remember the value on top of the stack under a number of the pickle's own."""
        # Memoizing counts what is remembered: from here on a number may be taken already.
        self._counts = False
        self.put(key)

    def short_text(self) -> None:
        """Push text whose length is one byte, or what the opcodes known to follow it make."""
        size = self.input.byte()
        if size not in RUN_LENGTHS or not self._known(RUN_LENGTHS[size]):
            self.text(size)

    def _known(self, length: int) -> bool:
        """Do what the next opcodes do, at once, where they are among the known runs."""
        start = self.input.at - 2
        run = RUNS.get(bytes(self.input.data[start:start + length]))
        if run is None or not self._counts or run.text_bytes > self._text_budget:
            return False
        if run.takes:
            if len(self._stack) <= self._floor or not matches(self._stack[-1], run.takes):
                return False
            self._stack.pop()
        self._text_budget -= run.text_bytes
        self.input.at = start + length
        # They count one by one all the same.
        next(islice(self._steps, run.steps - 1, run.steps - 1), None)
        self._containers.know(run.extents)
        self.push(run.enter(self.memo))
        return True

    def get(self, key: int) -> None:
        """Push a remembered value."""
        if key not in self.memo:
            raise InvalidRequest(f'pickle recalls value {key}, which it never stored')
        self.push(self.memo[key])

    def reduce(self) -> None:
        """Push what a call stands for."""
        arguments, what = self.pop(), self.pop()
        self.push(self._objects.call(what, arguments))

    def new_object(self) -> None:
        """Push what the making of an object stands for."""
        arguments, what = self.pop(), self.pop()
        self.push(self._objects.new(what, arguments))

    def build(self) -> None:
        """Push the object below the state, finished with it."""
        state, target = self.pop(), self.pop()
        if not isinstance(target, Unfinished):
            raise InvalidRequest(f'pickle sets the state of {seen(target)}, which is never done')
        value = target.finish(state)
        for key in target.memo_keys:
            if self.memo[key] is target:
                self.memo[key] = value
        target.memo_keys.clear()  # so that finishing it again and again stays cheap
        self.push(value)

    def _arguments(self, items: list[object]) -> Arguments:
        for item in items:
            if type(item) not in IN_ARGUMENTS:
                self._containers.check_value(item)
        return Arguments(items)

    def _name(self, module: str, name: str) -> None:
        if len(module) > NAME_BYTES or len(name) > NAME_BYTES:
            raise InvalidRequest(f'pickle names {shown(module)}, longer than any we accept')
        self.push(self._objects.name(module, name))

    def _stop(self) -> object:
        value = self.pop()
        self._containers.check_value(value)
        if self._stack or self._marks:
            raise InvalidRequest('pickle stops with more than one value')
        if self.input.left:
            raise InvalidRequest(
                f'pickle stops at byte {self.input.at}; {self.input.left} bytes follow')
        return value


def steps() -> dict[int, Callable[[Machine], None]]:
    """Return what each accepted opcode does; all others are refused."""
    table: dict[str, Callable[[Machine], None]] = {
        'FRAME': Machine.frame,
        'MARK': Machine.mark,
        'NONE': lambda m: m.push(None),
        'NEWTRUE': lambda m: m.push(True),
        'NEWFALSE': lambda m: m.push(False),
        'BININT': lambda m: m.push(m.input.signed()),
        'BININT1': lambda m: m.push(m.input.byte()),
        'BININT2': lambda m: m.push(m.input.unsigned(2)),
        'LONG1': lambda m: m.push(m.input.long()),
        'BINFLOAT': lambda m: m.push(m.input.double()),
        'SHORT_BINUNICODE': Machine.short_text,
        'BINUNICODE': lambda m: m.text(m.input.unsigned(4)),
        'BINUNICODE8': lambda m: m.text(m.input.unsigned(8)),
        'SHORT_BINBYTES': lambda m: m.push(m.input.take(m.input.byte())),
        'BINBYTES': lambda m: m.push(m.input.take(m.input.unsigned(4))),
        'BINBYTES8': lambda m: m.push(m.input.take(m.input.unsigned(8))),
        'BYTEARRAY8': lambda m: m.push(m.input.take(m.input.unsigned(8))),
        'EMPTY_DICT': Machine.new_dict,
        'EMPTY_LIST': Machine.new_list,
        'EMPTY_TUPLE': lambda m: m.new_tuple([]),
        'TUPLE1': lambda m: m.tuple_of(1),
        'TUPLE2': lambda m: m.tuple_of(2),
        'TUPLE3': lambda m: m.tuple_of(3),
        'TUPLE': lambda m: m.new_tuple(m.pop_to_mark()),
        'APPEND': lambda m: m.append([m.pop()]),
        'APPENDS': lambda m: m.append(m.pop_to_mark()),
        'SETITEM': lambda m: m.set_items([m.pop(), m.pop()][::-1]),
        'SETITEMS': lambda m: m.set_items(m.pop_to_mark()),
        'BINPUT': lambda m: m.put_at(m.input.byte()),
        'LONG_BINPUT': lambda m: m.put_at(m.input.unsigned(4)),
        'MEMOIZE': Machine.memoize,
        'BINGET': lambda m: m.get(m.input.byte()),
        'LONG_BINGET': lambda m: m.get(m.input.unsigned(4)),
        'GLOBAL': Machine.name_lines,
        'STACK_GLOBAL': Machine.name_stack,
        'REDUCE': Machine.reduce,
        'NEWOBJ': Machine.new_object,
        'BUILD': Machine.build,
    }
    return {CODES[name]: step for name, step in table.items()}


STEPS = steps()


def recorded(below: str, run: bytes) -> Run:
    """
    Return what a run of opcodes does, as this machine does it one by one.

    :param below: text on the stack that the run takes, '' for none.
    :param run: the opcodes; their effect may depend on nothing else.
    """
    machine = Machine(memoryview(run), DEFAULT_LIMITS)
    if below:
        machine.push(below)
    steps = 0
    while machine.input.left:
        STEPS[machine.input.byte()](machine)
        steps += 1
    memo = tuple(machine.memo[key] for key in range(len(machine.memo)))
    return Run(
        steps, machine._limits.text_bytes - machine._text_budget, below, machine.pop(), memo,
        machine._containers.extents(memo))


RUN_LENGTHS: dict[int, int] = {}
"""Length of a run whose first text has so many bytes."""

RUNS: dict[bytes, Run] = {}
"""How numpy's arrays begin and name their types, by the bytes."""

_recorded = {run: recorded(below, run) for below, run in array_runs()}
RUN_LENGTHS.update({run[1]: len(run) for run in _recorded})
RUNS.update(_recorded)
