"""The form in which a notebook is stored: with its outputs, without what changes between runs."""

from __future__ import annotations

import copy

from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
STORED_OF_NOTEBOOK = ("albert",)
STORED_OF_CELL = ("nbgrader", "tags", "slideshow")


def canonical(notebook: NotebookNode) -> NotebookNode:
    """A copy without times, Python's version, and the state of widgets.

    Widget views are left out too: without their state they show "model not found". The
    static output of each widget stays, so that the file reads well without a kernel.
    """
    stored = copy.deepcopy(notebook)
    own = {name: stored.metadata[name] for name in STORED_OF_NOTEBOOK if name in stored.metadata}
    stored.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python"), **own
    )
    for cell in stored.cells:
        cell.metadata = NotebookNode(
            {name: cell.metadata[name] for name in STORED_OF_CELL if name in cell.metadata}
        )
        if cell.cell_type == "code":
            cell.outputs = _without_views(_joined(cell.outputs))
    return stored


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with each stream's text joined, because its splits depend on timing."""
    joined: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            joined.append(output)
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
            joined.append(output)
    return joined


def _without_views(outputs: list[NotebookNode]) -> list[NotebookNode]:
    for output in outputs:
        if "data" in output:
            output.data.pop(WIDGET_VIEW, None)
    return [output for output in outputs if output.get("data") != {}]
