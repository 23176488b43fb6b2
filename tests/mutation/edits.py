"""What a mutant puts in place of an expression or a statement: small slips that a programmer could make."""

import ast
import copy
from collections.abc import Iterator

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


def expressions_instead_of(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what a mutant may have instead of an expression."""
    match node:
        case ast.Compare():
            yield from _compared_otherwise(node)
        case ast.BoolOp(op=operator):
            other: ast.boolop = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield ast.BoolOp(other, node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=calculation) if type(calculation) in _ARITHMETIC:
            yield ast.BinOp(node.left, _ARITHMETIC[type(calculation)](), node.right)
        case ast.IfExp():
            yield ast.IfExp(node.test, node.orelse, node.body)
        case ast.Call(args=[first, second, *others]) if _order_matters(node):
            yield ast.Call(node.func, [second, first, *others], node.keywords)
        case ast.Constant():
            yield from _constants_instead_of(node.value)


def _order_matters(call: ast.Call) -> bool:
    is_extreme = isinstance(call.func, ast.Name) and call.func.id in {"max", "min"}
    is_same = ast.dump(call.args[0]) == ast.dump(call.args[1])
    return not is_extreme and not is_same and not any(isinstance(each, ast.Starred) for each in call.args[:2])


def _compared_otherwise(node: ast.Compare) -> Iterator[ast.expr]:
    for number, operator in enumerate(node.ops):
        changed = copy.copy(node)
        changed.ops = [*node.ops[:number], _COMPARISONS[type(operator)](), *node.ops[number + 1 :]]
        yield changed


def _constants_instead_of(value: object) -> Iterator[ast.Constant]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case str() | bytes() if value:
            yield ast.Constant(value[:0])


def statements_instead_of(node: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what a mutant may have instead of a whole statement that has no block."""
    match node:
        case ast.Return(value=ast.Tuple(elts=[first, second, *others])):
            yield ast.Return(ast.Tuple([second, first, *others], ast.Load()))
        case ast.Return(value=value) if value is not None and not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Break() | ast.Continue() | ast.Delete():
            yield ast.Pass()
        case ast.Expr(value=value) if not isinstance(value, ast.Constant):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
