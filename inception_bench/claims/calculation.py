"""Calculations by hand, as the ledger writes them: numbers and the four operations, read without ``eval``."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def calculate(text: str) -> tuple[float, ...]:
    """The figures of ``"1 - (9 + 9) / 25; log(9001)"``, parted by semicolons.

    Knows numbers, ``+ - * / **``, brackets and ``log``. Raises ValueError for anything else.
    """
    return tuple(_value(ast.parse(part.strip(), mode="eval").body, part) for part in text.split(";"))


def _value(node: ast.expr, text: str) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, text), _value(node.right, text))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "log" and len(node.args) == 1:
        return math.log(_value(node.args[0], text))
    raise ValueError(f"{text.strip()!r} is no calculation; write numbers with + - * / ** and brackets")
