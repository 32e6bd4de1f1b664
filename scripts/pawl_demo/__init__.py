"""The demo's cluster and its sender. Standard library only; shares no code with the runtime or with the checker."""
