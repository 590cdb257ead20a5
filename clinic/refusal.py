"""The one way in which the clinic's rules say no to a person."""


class Refusal(Exception):
    """Input that was refused before anything changed.

    Args:
        problem: What is wrong and where (file, line, field or name), as a sentence.
        remedy: What the person can do about it; empty where the problem says it.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem if not remedy else f"{problem}\n{remedy}")
        self.problem = problem
        self.remedy = remedy
