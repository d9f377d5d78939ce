"""This module holds back messages about work that may have to be begun again."""

from rollsignal.messages import LogLevel, Tell


class HeldMessages:
    """Tell messages, or hold them until it is certain that they are true."""

    def __init__(self, tell: Tell, *, is_certain: bool) -> None:
        self._tell = tell
        self._is_certain = is_certain
        self._held: list[tuple[LogLevel, str]] = []

    def tell(self, level: LogLevel, text: str) -> None:
        """Receive a message."""
        if self._is_certain:
            self._tell(level, text)
        else:
            self._held.append((level, text))

    def tell_all(self) -> None:
        """Tell what is held, and all that follows at once."""
        self._is_certain = True
        for message in self._held:
            self._tell(*message)


class MessagesOnce:
    """Tell messages once, although work that tells them begins again and finds the same."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told = 0
        self._left_out = 0

    def tell(self, level: LogLevel, text: str) -> None:
        """Receive a message."""
        if self._left_out:
            self._left_out -= 1
            return
        self._told += 1
        self._tell(level, text)

    def begin_again(self) -> None:
        """Expect all messages so far a second time."""
        self._left_out = self._told
