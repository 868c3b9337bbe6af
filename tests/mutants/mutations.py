"""Small faults to plant in a source file: each mutant changes one place.

The places are found in the syntax tree and changed in the text, so that what stands around them,
comments too, stays as it is.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.In: "not in",
    ast.NotIn: "in",
    ast.Is: "is not",
    ast.IsNot: "is",
}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "/",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any", "zeros": "ones"}
LEFT_ALONE = ("__all__", "TYPE_CHECKING", "overload")


@dataclass(frozen=True)
class Mutant:
    """One changed place: `source[start:end]` of a file gives way to `replacement`."""

    file: str  # from the project's folder, with forward slashes
    line: int
    start: int
    end: int
    replacement: str
    kind: str
    before: str  # the line as it is
    after: str  # and as it becomes
    twin: int  # how many changes like this one come before it in its file

    @property
    def id(self) -> str:
        """The same for the same change, wherever in its file the line has moved."""
        words = (self.file, self.before, self.after, self.kind, str(self.twin))
        return hashlib.sha256("\0".join(words).encode()).hexdigest()[:12]

    def apply(self, source: str) -> str:
        """The file with this fault in it."""
        return source[: self.start] + self.replacement + source[self.end :]


def mutants(file: str, source: str, kind_of_finder: type[Finder] | None = None) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    finder = (kind_of_finder or Finder)(source)
    finder.visit(ast.parse(source))
    lines = source.splitlines()
    found: list[Mutant] = []
    seen: Counter[tuple[str, str, str]] = Counter()
    for start, end, replacement, kind in sorted(set(finder.changes)):
        changed = source[:start] + replacement + source[end:]
        line = source.count("\n", 0, start)
        before, after = lines[line].strip(), changed.splitlines()[line].strip()
        if before != after and _compiles(changed):
            place = (file, line + 1, start, end)
            twin = seen[before, after, kind]
            found.append(Mutant(*place, replacement, kind, before, after, twin))
            seen[before, after, kind] += 1
    return found


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


class Finder(ast.NodeVisitor):
    """Collects (start, end, replacement, kind) for every change that may be made."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.changes: list[tuple[int, int, str, str]] = []
        self.line_starts = [0]
        for line in source.splitlines(keepends=True):
            self.line_starts.append(self.line_starts[-1] + len(line))

    def place(self, line: int, column: int) -> int:
        """Where a line and a column in bytes, as `ast` counts, lie in the text."""
        start = self.line_starts[line - 1]
        text = self.source[start : self.line_starts[line]]
        return start + len(text.encode()[:column].decode())

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = self.place(node.lineno, node.col_offset)
        return start, self.place(node.end_lineno, node.end_col_offset)

    def text(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.source[start:end]

    def change(self, node: ast.expr | ast.stmt, replacement: str, kind: str) -> None:
        self.changes.append((*self.span(node), replacement, kind))

    def between(self, left: ast.expr, right: ast.expr, old: str, new: str, kind: str) -> None:
        """Change the operator that stands between two expressions."""
        start, end = self.span(left)[1], self.span(right)[0]
        at = self.source.find(old, start, end)
        if at >= 0:
            self.changes.append((at, at + len(old), new, kind))

    # What is not mutated: declarations for a reader or a type checker, and sentences.

    def visit_Raise(self, node: ast.Raise) -> None:
        """What an error says is a sentence."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """And so is formatted text."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arguments(self, node: ast.arguments) -> None:
        for default in (*node.defaults, *filter(None, node.kw_defaults)):
            self.visit(default)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for child in node.body:
            self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if any(ast.unparse(each).endswith("overload") for each in node.decorator_list):
            return
        self.visit(node.args)
        for child in node.body:
            self.visit(child)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(name in ast.unparse(node.targets[0]) for name in LEFT_ALONE):
            return
        if isinstance(node.targets[0], (ast.Attribute, ast.Subscript)):
            self.change(node, "pass", "statement removed")
        self.visit(node.value)

    # What is.

    def visit_If(self, node: ast.If) -> None:
        if any(name in ast.unparse(node.test) for name in LEFT_ALONE):
            return
        self.change(node.test, f"not ({self.text(node.test)})", "condition turned round")
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.change(node.test, f"not ({self.text(node.test)})", "condition turned round")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, operator, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        ):
            old = _symbol(operator)
            self.between(left, right, old, COMPARISONS[type(operator)], "comparison")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in ARITHMETIC and not isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            old = _symbol(node.op)
            self.between(node.left, node.right, old, ARITHMETIC[type(node.op)], "arithmetic")
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.between(left, right, old, new, "and/or")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
            self.change(node, f"({self.text(node.operand)})", "sign or not removed")
        if not isinstance(node.operand, ast.Constant):  # reshape(-2) means the same as reshape(-1)
            self.visit(node.operand)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "strict":  # of zip: that lists are of one length is a promise, not a value
            self.visit(node.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool):
            self.change(node, str(not node.value), "constant")
        elif isinstance(node.value, (int, float)):
            self.change(node, repr(node.value + 1), "constant")
            if isinstance(node.value, int) and node.value > 0:
                self.change(node, repr(node.value - 1), "constant")

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            if ast.unparse(node.value) != "None":
                self.change(node, "return None", "return value")
            self.visit(node.value)
        else:
            self.change(node, "pass", "early return removed")

    def visit_Continue(self, node: ast.Continue) -> None:
        self.change(node, "pass", "continue removed")

    def visit_Break(self, node: ast.Break) -> None:
        self.change(node, "pass", "break removed")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.change(node, "pass", "statement removed")
        if type(node.op) in ARITHMETIC:
            old, new = f"{_symbol(node.op)}=", f"{ARITHMETIC[type(node.op)]}="
            self.between(node.target, node.value, old, new, "arithmetic")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if not isinstance(node.value, (ast.Yield, ast.YieldFrom)):
            self.change(node, "pass", "statement removed")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
        if name in OPPOSITES:
            end = self.span(function)[1]
            self.changes.append((end - len(name), end, OPPOSITES[name], "opposite function"))
        plain = [each for each in node.args if not isinstance(each, ast.Starred)]
        if 2 <= len(plain) == len(node.args) <= 4 and name not in ("isinstance", "cast"):
            first, second = plain[:2]
            if self.text(first) != self.text(second):
                start, end = self.span(first)[0], self.span(second)[1]
                middle = self.source[self.span(first)[1] : self.span(second)[0]]
                swapped = f"{self.text(second)}{middle}{self.text(first)}"
                self.changes.append((start, end, swapped, "arguments swapped"))
        self.generic_visit(node)


def _symbol(operator: ast.cmpop | ast.operator) -> str:
    """How an operator is written."""
    name = ast.Name("x", ast.Load())
    if isinstance(operator, ast.cmpop):
        whole = ast.unparse(ast.Compare(name, [operator], [name]))
    else:
        whole = ast.unparse(ast.BinOp(name, operator, name))
    return whole.removeprefix("x").removesuffix("x").strip()
