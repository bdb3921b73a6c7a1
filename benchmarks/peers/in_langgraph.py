"""`in_langgraph.py COUNT STORE`: shells that do nothing, one after the other, each kept by LangGraph's SQLite saver."""

import sqlite3
import subprocess
import sys
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class At(TypedDict):
    """Which shell comes next."""

    index: int


def main() -> None:
    """Run as many as the command line says; each step is stored before the next begins, as it is for a run."""
    count, path = int(sys.argv[1]), sys.argv[2]
    graph = StateGraph(At)
    graph.add_node("node", _node)
    graph.add_edge(START, "node")
    graph.add_conditional_edges("node", lambda state: "node" if state["index"] < count else END)
    with sqlite3.connect(path, check_same_thread=False) as store:
        store.execute("pragma synchronous = full")
        made = graph.compile(checkpointer=SqliteSaver(store))
        thread = {"configurable": {"thread_id": "1"}, "recursion_limit": count + 1}
        made.invoke({"index": 0}, thread, durability="sync")


def _node(state: At) -> At:
    index = state["index"]
    subprocess.run(["sh", "-c", f"true >out/{index} 2>err/{index}"], check=True)
    return {"index": index + 1}


if __name__ == "__main__":
    main()
