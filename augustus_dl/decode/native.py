"""Loops as machine code that a later run finds ready, so that it need not load Numba.

    @native
    def fill(values, start) -> None: ...

compiles `fill` by Numba when it is called with arguments of these types for the first time, and
keeps the machine code in the user's cache folder. From there LLVM alone, which Numba brings along,
loads it in a few milliseconds. Native functions may call each other; those that are called from
Python take arrays, numbers and (named) tuples of these, allocate nothing, and return nothing or one
number, as their annotation says. Other threads run meanwhile.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from operator import index
from threading import Lock
from types import FunctionType
from typing import Any, NamedTuple

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from augustus_dl.user_cache import keep, kept

__all__ = ["Native", "inlined", "native"]


class _Returned(NamedTuple):
    """Numba's name of a type that functions return, and what holds a value of it."""

    kind: str
    place: type


_KEPT = 200
"""Machine codes kept, those used last: 40 functions, 20 kB each."""
_DIGEST = 16
_RETURNED = {
    "None": _Returned("none", ctypes.c_void_p),
    "bool": _Returned("bool", ctypes.c_bool),
    "int": _Returned("int64", ctypes.c_int64),
    "float": _Returned("float64", ctypes.c_double),
}
"""By annotation."""
_LIBRARY = {"abort", "exp", "log1p"}
"""What machine code may call: functions of the C library that Python has loaded."""
_CHANGES = b"1"
"""To be changed with what this file makes of a function."""
_LOCK = Lock()


class Native:
    """A function in machine code; see `native` and `inlined`."""

    def __init__(self, function: FunctionType, inline: bool = False) -> None:
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._function, self._inline = function, inline
        self._loaded: dict[tuple, Callable] = {}

    def __call__(self, *arguments: Any) -> Any:
        types = tuple(map(_type_of, arguments))
        function = self._loaded.get(types)
        if function is None:
            with _LOCK:
                function = self._loaded[types] = self._load(types, arguments)
        found, failure = self._returned.place(), ctypes.c_void_p()
        flat = [number for argument in arguments for number in _flat(argument)]
        if function(ctypes.byref(found), ctypes.byref(failure), *flat):
            raise RuntimeError(f"{self.__name__} failed on its arguments")
        return found.value

    @cached_property
    def jitted(self) -> Callable:
        """The same for Numba, as others compiled by it call it."""
        from numba import njit

        ours = {name: one.jitted for name, one in self._named() if isinstance(one, Native)}
        source = self._function
        scope = {**source.__globals__, **ours}
        copy = FunctionType(source.__code__, scope, source.__name__, source.__defaults__)
        copy.__qualname__ = source.__qualname__
        return njit(
            copy,
            nogil=True,
            inline="always" if self._inline else "never",
            no_cpython_wrapper=True,
            no_cfunc_wrapper=True,
        )

    @property
    def _returned(self) -> _Returned:
        return _RETURNED[self._function.__annotations__["return"]]

    def _named(self) -> Iterator[tuple[str, Any]]:
        """What the function uses of its module."""
        scope = self._function.__globals__
        return ((name, scope[name]) for name in self._function.__code__.co_names if name in scope)

    @cached_property
    def _content(self) -> bytes:
        """Everything the machine code depends on, but types and machine."""
        code = self._function.__code__
        parts = [code.co_code, repr((code.co_consts, code.co_names, code.co_varnames)).encode()]
        for name, one in self._named():
            value = one.tobytes() if isinstance(one, np.ndarray) else repr(one).encode()
            parts += [name.encode(), one._content if isinstance(one, Native) else value]
        parts.append(repr((self._inline, self._function.__annotations__)).encode())
        return hashlib.blake2b(b"\0".join(parts), digest_size=_DIGEST).digest()

    def _load(self, types: tuple, arguments: tuple) -> Callable:
        """The machine code, ready to be called."""
        digest = hashlib.blake2b(self._content, digest_size=_DIGEST, key=_CHANGES)
        digest.update(repr((types, llvmlite.__version__, _machine())).encode())
        name = f"{self.__name__.lstrip('_')}-{digest.hexdigest()}"
        code = _found(f"{name}.o")
        if code is None:
            code = self._compiled(name, arguments)
            keep(f"{name}.o", hashlib.blake2b(code, digest_size=_DIGEST).digest() + code, _KEPT)
        engine = _engine()
        engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        engine.finalize_object()
        flat = [type(number) for argument in arguments for number in _flat(argument)]
        kinds = [ctypes.c_double if kind is float else ctypes.c_int64 for kind in flat]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *kinds)
        return prototype(engine.get_function_address(name))

    def _compiled(self, name: str, arguments: tuple) -> bytes:
        """An object file with the function under this name."""
        from numba import typeof

        types = tuple(typeof(_plain(argument)) for argument in arguments)
        self.jitted.compile(types)
        compiled = self.jitted.overloads[types]
        returned = compiled.signature.return_type
        if str(returned) != self._returned.kind:
            raise TypeError(f"{self.__name__} returns {returned}, not what its annotation says")
        module = llvm.parse_assembly(self.jitted.inspect_llvm(types))
        module.get_function(compiled.fndesc.llvm_func_name).name = name
        for function in module.functions:  # arrays come without an owner: none is ever freed
            if function.name == "NRT_MemInfo_call_dtor":
                function.name = "abort"
        called = {f.name for f in module.functions if f.is_declaration} - _LIBRARY
        foreign = sorted(name for name in called if not name.startswith("llvm."))
        if foreign:
            raise TypeError(f"{self.__name__} calls {', '.join(foreign)}: does it allocate?")
        return _target().emit_object(module)


def native(function: FunctionType) -> Native:
    """Have a function run as machine code."""
    return Native(function)


def inlined(function: FunctionType) -> Native:
    """Have a function become part of the native functions that call it."""
    return Native(function, inline=True)


def _type_of(value: Any) -> Any:
    """What of an argument changes the machine code."""
    if isinstance(value, np.ndarray):
        flags = value.flags
        return value.dtype.str, value.ndim, flags.c_contiguous, flags.writeable
    if isinstance(value, tuple):
        return type(value).__name__, tuple(map(_type_of, value))
    return "float" if isinstance(value, float) else "int"


def _plain(value: Any) -> Any:
    """An argument with numbers of two types only."""
    if isinstance(value, tuple):
        parts = map(_plain, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if isinstance(value, np.ndarray):
        return value
    return float(value) if isinstance(value, float) else index(value)


def _flat(value: Any) -> Iterator[int | float]:
    """An argument as Numba hands it from function to function."""
    if isinstance(value, np.ndarray):
        yield from (0, 0, value.size, value.itemsize, value.__array_interface__["data"][0])
        yield from value.shape
        yield from value.strides
    elif isinstance(value, tuple):
        for part in value:
            yield from _flat(part)
    else:
        yield _plain(value)


def _found(name: str) -> bytes | None:
    """Machine code that a run before has kept and nothing has damaged."""
    path = kept(name)
    content = path.read_bytes() if path else b""
    check, code = content[:_DIGEST], content[_DIGEST:]
    return code if check == hashlib.blake2b(code, digest_size=_DIGEST).digest() else None


@cache
def _machine() -> tuple[str, str]:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def _engine() -> llvm.ExecutionEngine:
    """Holds all machine code, to the end of the process."""
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())


def _target() -> llvm.TargetMachine:
    name, features = _machine()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(name, features, opt=3, codemodel="jitdefault", jit=True)
