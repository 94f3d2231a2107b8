"""What a user can meet: what is wrong, and what to do about it."""


class ProfilerError(Exception):
    """A mistake or a lack on the user's side.

    Args:
        cause: What is wrong, without a full stop.
        remedy: What to do about it, best as a command to type.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}: {self.remedy}"


class MissingProgramError(ProfilerError):
    """Something needs a program that this machine does not have."""
