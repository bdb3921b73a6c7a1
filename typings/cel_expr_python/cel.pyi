# The part of cel-expr-python that is used here: its own stub is not marked as typed, and needs the stubs of protobuf.

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

class Type:
    BOOL: ClassVar[Type]
    BYTES: ClassVar[Type]
    DOUBLE: ClassVar[Type]
    DURATION: ClassVar[Type]
    DYN: ClassVar[Type]
    ERROR: ClassVar[Type]
    INT: ClassVar[Type]
    LIST: ClassVar[Type]
    MAP: ClassVar[Type]
    NULL: ClassVar[Type]
    STRING: ClassVar[Type]
    TIMESTAMP: ClassVar[Type]
    TYPE: ClassVar[Type]
    UINT: ClassVar[Type]
    UNKNOWN: ClassVar[Type]
    def __init__(self, signature: str) -> None: ...
    @staticmethod
    def AbstractType(name: str, params: Sequence[Type] = ...) -> Type: ...
    @staticmethod
    def List(element_type: Type) -> Type: ...
    @staticmethod
    def Map(key_type: Type, element_type: Type) -> Type: ...
    def is_assignable_from(self, arg0: Type) -> bool: ...
    def is_message(self) -> bool: ...
    def name(self) -> str: ...

class Value:
    def plain_value(self) -> object: ...
    def value(self) -> object: ...
    def type(self) -> Type: ...

class Overload:
    def __init__(
        self,
        id: str | None = ...,
        return_type: Type = ...,
        parameters: Sequence[Type] = ...,
        is_member: bool = ...,
        impl: Callable[..., object] = ...,
        signature: str | None = ...,
    ) -> None: ...

class FunctionDecl:
    def __init__(self, name: str, overloads: Sequence[Overload]) -> None: ...

class Function:
    def __init__(
        self,
        function_name: str,
        parameters: Sequence[Type],
        is_member: bool,
        impl: Callable[..., object],
        return_type: Type = ...,
    ) -> None: ...

class Activation: ...

class CelExtensionBase:
    def __init__(self, name: str) -> None: ...

class CelExtension(CelExtensionBase):
    def __init__(self, name: str, functions: Sequence[FunctionDecl]) -> None: ...

class Expression:
    def eval(
        self,
        activation: Activation | None = ...,
        data: Mapping[str, object] | None = ...,
        functions: Sequence[Function] | None = ...,
    ) -> Value: ...
    def return_type(self) -> Type: ...
    def serialize(self) -> bytes: ...

class Env:
    def Activation(
        self, data: Mapping[str, object] | None = ..., functions: Sequence[Function] | None = ...
    ) -> Activation: ...
    def compile(self, expression: str, disable_check: bool = ...) -> Expression: ...
    def deserialize(self, serialized: str | bytes) -> Expression: ...

def NewEnv(
    *,
    variables: Mapping[str, Type] | None = ...,
    extensions: Sequence[CelExtensionBase] | None = ...,
    container: str | None = ...,
    functions: Sequence[FunctionDecl] | None = ...,
    function_impls: Mapping[str, Callable[..., object]] | None = ...,
) -> Env: ...
