"""Faults that beginners make, beside those of `mutations.py`: a step, a term or a case left out.

The sample of `make mutants` does not hold them, so that its mutants stay the same. `make exercises`
plants both kinds.
"""

from __future__ import annotations

import ast
from itertools import pairwise

from mutations import Finder, Mutant, mutants

SIDES: dict[type[ast.operator], tuple[str, ...]] = {  # which sides of a + b are kept alone
    ast.Add: ("left", "right"),
    ast.Mult: ("left", "right"),
    ast.BitAnd: ("left", "right"),
    ast.BitOr: ("left", "right"),
    ast.Sub: ("left",),
    ast.Div: ("left",),
    ast.FloorDiv: ("left",),
    ast.Pow: ("left",),
}
NOT_THE_SAME_TURNED_ROUND = (ast.Sub, ast.Div, ast.MatMult)
TURNED_ROUND: dict[type[ast.cmpop], str] = {
    ast.Lt: ">",
    ast.LtE: ">=",
    ast.Gt: "<",
    ast.GtE: "<=",
}
INSTEAD = {
    **{"sum": "mean", "mean": "sum", "argmax": "argmin", "argmin": "argmax"},
    **{"log_softmax": "softmax", "log2": "log", "log1p": "log", "cumsum": "sum", "square": "abs"},
}
WORDS_INSTEAD = {"sum": "mean", "mean": "sum"}
# Calls of one argument that make something of another kind: without them there is nothing left.
NO_STEP = (
    *("len", "range", "int", "float", "str", "bool", "dict", "enumerate", "iter", "next", "sum"),
    *("zeros", "ones", "empty", "tensor", "defaultdict", "Counter", "get", "append", "item"),
    *("index", "join", "type", "finfo", "indices", "reshape", "view", "random", "permutation"),
)
# Methods that may be left out, whatever they are given.
STEPS = (
    *("transpose", "permute", "swapaxes", "log", "sqrt", "exp", "square", "abs", "tanh"),
    *("clamp", "clip", "lower", "strip", "softmax", "log_softmax", "masked_fill", "translate"),
    *("flatten", "float", "long", "cumsum", "sort", "detach", "clone", "copy", "unsqueeze"),
)
CHOICES = ("min", "max", "minimum", "maximum", "where")  # between their last two arguments
AXES = ("dim", "axis")
# Methods whose only number is an axis.
OF_ONE_AXIS = (
    *("softmax", "log_softmax", "sum", "mean", "argmax", "argmin", "unsqueeze", "squeeze"),
    *("amax", "amin", "logsumexp", "cumsum", "argsort"),
)
ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List)


def beginners_mutants(file: str, source: str) -> list[Mutant]:
    """Every mutant of a source that either finder makes, in the order of its lines."""
    return mutants(file, source, BeginnersFinder)


class BeginnersFinder(Finder):
    """Adds what a beginner does to the changes that the other finder collects."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.likenesses: dict[str, str] = {}  # a name → another of its kind
        self.sides: set[ast.expr] = set()  # names that would be compared with themselves

    def operand(self, node: ast.expr) -> str:
        """The text of an expression that takes the place of a larger one."""
        return self.text(node) if isinstance(node, ATOMS) else f"({self.text(node)})"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        before = self.likenesses
        self.likenesses = before | _alike(node)
        super().visit_FunctionDef(node)
        self.likenesses = before

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and node.id in self.likenesses and node not in self.sides:
            self.change(node, self.likenesses[node.id], "another name")

    def keep_apart(self, *sides: ast.expr) -> None:
        """No side of an operator becomes the other one: nobody writes `first - first`."""
        names = {each.id: each for each in sides if isinstance(each, ast.Name)}
        self.sides |= {each for name, each in names.items() if self.likenesses.get(name) in names}

    # Terms, factors, comparisons.

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if _is_text(node.left) or _is_text(node.right):
            return
        kind, chain = type(node.op), isinstance(node.left, ast.BinOp)
        for side in SIDES.get(kind, ()):
            if side == "right" and chain and type(node.left.op) is kind:  # type: ignore[attr-defined]
                continue  # a + b would go at once; each has its own change
            self.change(node, self.operand(getattr(node, side)), f"only the {side} of two")
        if kind in NOT_THE_SAME_TURNED_ROUND:
            middle = self.source[self.span(node.left)[1] : self.span(node.right)[0]].strip(" ()")
            turned = f"{self.operand(node.right)} {middle} {self.operand(node.left)}"
            self.change(node, f"({turned})", "sides exchanged")
        if kind is ast.Div:
            self.between(node.left, node.right, "/", "//", "whole numbers")
        self.keep_apart(node.left, node.right)
        super().visit_BinOp(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, operator, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        ):
            if type(operator) in TURNED_ROUND:
                old = "<" if isinstance(operator, (ast.Lt, ast.LtE)) else ">"
                old += "=" if isinstance(operator, (ast.LtE, ast.GtE)) else ""
                self.between(left, right, old, TURNED_ROUND[type(operator)], "turned round")
        self.keep_apart(node.left, *node.comparators)
        super().visit_Compare(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = " and " if isinstance(node.op, ast.And) else " or "
        for number in range(len(node.values)):
            rest = [self.operand(each) for i, each in enumerate(node.values) if i != number]
            self.change(node, f"({word.join(rest)})", "condition left out")
        super().visit_BoolOp(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub) and ast.unparse(node.operand).endswith(
            ("inf", "float('inf')")
        ):
            self.change(node, "0.0", "zero for -inf")
        super().visit_UnaryOp(node)

    # Cases and steps.

    def visit_If(self, node: ast.If) -> None:
        self.change(node.test, "True", "condition left out")
        self.change(node.test, "False", "case left out")
        super().visit_If(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.change(node, self.operand(node.body), "condition left out")
        self.change(node, self.operand(node.orelse), "case left out")
        super().visit_IfExp(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for condition in node.ifs:
            self.change(condition, "True", "condition left out")
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in _names(node.value):
            self.change(node, "pass", "step left out")
        if isinstance(target, ast.Subscript):  # x[where] = …: the other finder reads values alone
            self.visit(target.slice)
        super().visit_Assign(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        text = f"{self.text(node.target)} = {self.text(node.value)}"
        self.change(node, text, "overwritten")
        super().visit_AugAssign(node)

    def visit_Return(self, node: ast.Return) -> None:
        if isinstance(node.value, ast.Tuple):
            parts = node.value.elts
            for one, other in pairwise(parts):
                start, end = self.span(one)[0], self.span(other)[1]
                middle = self.source[self.span(one)[1] : self.span(other)[0]]
                swapped = f"{self.text(other)}{middle}{self.text(one)}"
                self.changes.append((start, end, swapped, "parts exchanged"))
        super().visit_Return(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr in ("T", "mT"):
            self.change(node, self.operand(node.value), "step left out")
        if node.attr == "min" and "finfo" in ast.unparse(node.value):
            self.change(node, "0.0", "zero for -inf")
        self.generic_visit(node)

    # Calls.

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
        if name in INSTEAD:
            end = self.span(function)[1]
            self.changes.append((end - len(name), end, INSTEAD[name], "another function"))
        self.leave_out(node, name)
        if name == "range":
            self.range_off_by_one(node)
        elif name == "sorted" and not any(each.arg == "reverse" for each in node.keywords):
            start, end = self.span(node)
            inside = self.source[start : end - 1].rstrip().removesuffix(",")
            self.change(node, f"{inside}, reverse=True)", "other order")
        elif name == "argsort" and node.args:
            self.change(node.args[0], f"-{self.operand(node.args[0])}", "other order")
        elif name in OF_ONE_AXIS:
            for each in node.args:
                self.other_axis(each)
        super().visit_Call(node)

    def leave_out(self, node: ast.Call, name: str) -> None:
        """What is given to a call instead of what it makes of it."""
        if isinstance(node.func, ast.Attribute) and name in STEPS and not _is_module(node.func):
            self.change(node, self.operand(node.func.value), "step left out")
        elif name in CHOICES and len(node.args) > 1:
            for each in node.args[-2:]:
                self.change(node, self.operand(each), "choice left out")
        elif len(node.args) == 1 and name not in NO_STEP and not _is_text(node.args[0]):
            inner = node.args[0]
            if not isinstance(inner, (ast.Starred, ast.Constant)):
                self.change(node, self.operand(inner), "step left out")

    def range_off_by_one(self, node: ast.Call) -> None:
        if len(node.args) == 1:
            only = node.args[0]
            start = self.span(only)[0]
            self.changes.append((start, start, "1, ", "off by one"))
            ends = [only]
        else:
            self.change(node.args[0], f"{self.operand(node.args[0])} + 1", "off by one")
            ends = [node.args[1]]
        for end in ends:
            self.change(end, f"{self.operand(end)} + 1", "off by one")
            self.change(end, f"{self.operand(end)} - 1", "off by one")

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg in ("strict", None):
            return
        start = self.place(node.lineno, node.col_offset)
        end = self.span(node.value)[1]
        following = self.source[end:].lstrip()
        if following.startswith(","):
            end = self.source.index(",", end) + 1
        self.changes.append((start, end, "", "keyword left out"))
        if node.arg in AXES:
            self.other_axis(node.value)
        if isinstance(node.value, ast.Constant) and node.value.value in WORDS_INSTEAD:
            self.change(node.value, f'"{WORDS_INSTEAD[node.value.value]}"', "another function")
        super().visit_keyword(node)

    def other_axis(self, node: ast.expr) -> None:
        try:
            axis = ast.literal_eval(node)
        except ValueError:
            return
        others = {-1: (-2, 0), -2: (-1, 0), 0: (1, -1), 1: (0, -1), 2: (1, 0)}
        for other in others.get(axis, ()) if isinstance(axis, int) else ():
            self.change(node, str(other), "other axis")

    def visit_Slice(self, node: ast.Slice) -> None:
        if node.lower is not None:
            self.change(node.lower, f"{self.operand(node.lower)} + 1", "off by one")
            self.change(node.lower, "", "slice left open")
        if node.upper is not None:
            self.change(node.upper, f"{self.operand(node.upper)} + 1", "off by one")
            self.change(node.upper, f"{self.operand(node.upper)} - 1", "off by one")
            self.change(node.upper, "", "slice left open")
        if node.step is not None:
            self.change(node.step, "", "slice left open")
        self.generic_visit(node)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_module(node: ast.Attribute) -> bool:
    """Whether this is a function of a module (torch.sqrt) rather than a method."""
    return isinstance(node.value, ast.Name) and node.value.id in ("torch", "np", "math", "F")


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _alike(node: ast.FunctionDef) -> dict[str, str]:
    """For each name another that is easily taken for it.

    Names are alike that are assigned side by side (`narrow, wide = …`), and parameters declared
    alike whose names begin or end alike (`logits_a`, `logits_b`).
    """
    declared: dict[str, list[str]] = {}
    for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
        if each.annotation is not None:
            declared.setdefault(ast.unparse(each.annotation), []).append(each.arg)
    pairs = {
        name: other
        for names in declared.values()
        for name in names
        for other in names
        if name != other and (name[:3] == other[:3] or name[-3:] == other[-3:])
    }
    for statement in ast.walk(node):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        names = [each.id for each in getattr(target, "elts", ()) if isinstance(each, ast.Name)]
        if len(names) > 1:
            pairs |= dict(zip(names, [*names[1:], names[0]], strict=True))
    return pairs
