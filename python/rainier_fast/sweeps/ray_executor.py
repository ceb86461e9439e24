"""Ray as a `concurrent.futures.Executor`: it has none of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from rainier_fast.errors import RainierError


class RayExecutor(Executor):
    """Tasks on the cluster of Ray that this process is joined to, or on a new one of this machine.

    Ray runs a task again whose worker died.
    """

    def __init__(self) -> None:
        try:
            import ray  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise RainierError(
                "executor='ray' needs ray, which is not installed; install it with: pip install ray"
            ) from error
        self._ray: Any = ray
        self._mine = not ray.is_initialized()
        if self._mine:
            ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        self.width = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._tasks: dict[Callable[..., Any], Any] = {}

    def submit(  # the base class has these types
        self,
        fn: Callable[..., Any],
        /,
        *args: Any,  # noqa: ANN401
        **kwargs: Any,  # noqa: ANN401
    ) -> Future[Any]:
        """Start a task."""
        if fn not in self._tasks:
            self._tasks[fn] = self._ray.remote(fn)
        future: Future[Any] = self._tasks[fn].remote(*args, **kwargs).future()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        """Leave a cluster that was started here."""
        if self._mine:
            self._ray.shutdown()
