"""The cache: Redis, whose absence makes pages slower but never fails one."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)
PAUSE = 2.0  # seconds in which a server that did not answer is not asked again


class ForgivingRedisCache(RedisCache):
    """A Redis that does not answer counts as an empty cache for a moment."""

    silent_until = 0.0

    def get(self, *args: Any, **kwargs: Any) -> Any:
        default = args[1] if len(args) > 1 else kwargs.get("default")
        return self._forgiving(super().get, default, *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().get_many, {}, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().has_key, False, *args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().add, False, *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().set, None, *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().set_many, [], *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().delete, False, *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._forgiving(super().delete_many, None, *args, **kwargs)

    def _forgiving(self, ask: Callable[..., Any], absent: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() < self.silent_until:
            return absent
        try:
            return ask(*args, **kwargs)
        except RedisError as error:
            self.silent_until = time.monotonic() + PAUSE
            logger.warning("The cache does not answer (%s); pages are made without it.", error)
            return absent
