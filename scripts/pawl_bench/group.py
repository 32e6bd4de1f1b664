"""Several nodes of one cluster, each a process with a sender of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from .bench import Bench
from .store import Store


class Group:
    """Started and settled; leaving the `with` block ends them side by side."""

    def __init__(self, bench: Bench, store: Store, members: int, shards: int) -> None:
        with ExitStack() as stack:
            self.nodes = [stack.enter_context(bench.node(store, shards=shards))]
            for number in range(2, members + 1):
                self.nodes.append(stack.enter_context(bench.joining(store, f"n{number}")))
            self.ask("members", lambda _: {"members": members})
            self._stack = stack.pop_all()

    def ask(self, order: str, share: Callable[[str], dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Gives all nodes an order at once and waits for the answers. A node's share depends on the prefix of the
        keys that it alone sends to."""
        for number, node in enumerate(self.nodes):
            node.tell(order, **(share(f"n{number}-") if share else {}))
        return [node.answer() for node in self.nodes]

    def account(self) -> dict[str, Any]:
        """The sum of all."""
        accounts = self.ask("account")
        return {name: sum(account[name] for account in accounts) for name in accounts[0]}

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *error: Any) -> None:
        for node in self.nodes:
            node.begin_end()
        self._stack.__exit__(*error)
