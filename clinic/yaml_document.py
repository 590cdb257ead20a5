"""The clinic's YAML files, read into pydantic models with errors that say file, line and field."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from clinic.refusal import Refusal

_Model = TypeVar("_Model", bound=BaseModel)
_Path = tuple[str | int, ...]


class Document:
    """A YAML file as plain data, with the line of every value.

    Raises:
        Refusal: There is no such file, or it is no YAML mapping.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8-sig")
            root = _compose(text)
        except OSError as error:
            raise Refusal(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise Refusal(f"{path}: not UTF-8 text at byte {error.start}") from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise Refusal(f"{path}:{line}: not YAML: {error.problem}") from None
        except yaml.YAMLError:
            raise Refusal(f"{path}:1: not YAML: it has a character that text can't have") from None
        if not isinstance(root, yaml.MappingNode):
            raise Refusal(f"{path}:1: expected fields such as `name: value`")
        self._lines: dict[_Path, int] = {}
        self._constructor = yaml.SafeLoader("")
        try:
            self.data: dict[str, Any] = self._read(root, ())
        except RecursionError:
            raise Refusal(f"{path}:1: a part of it stands within itself") from None

    def as_model(self, model: type[_Model], **given: Any) -> _Model:
        """Check the data.

        Args:
            model: What the file describes.
            given: Fields that do not stand in the file, such as a name taken from its path.

        Raises:
            Refusal: One line for each problem: file, line, field, what is wrong.
        """
        try:
            return model.model_validate({**self.data, **given})
        except ValidationError as error:
            found = error.errors(include_url=False)
            problems = [
                self.problem(problem["loc"], _said(problem))
                for problem in found
                if not _follows(problem, found)
            ]
            raise Refusal("\n".join(problems)) from None

    def problem(self, where: _Path, what: str) -> str:
        """Say what is wrong with a field: `plans/gentle.yaml:4: steps.0.wait: ...`."""
        known = where
        while known and known not in self._lines:
            known = known[:-1]
        # pydantic names a union's branch or a validator in the path; the file knows only its keys
        field = ".".join(str(part) for part in (known if _is_virtual(where, known) else where))
        return f"{self.path}:{self._lines[known]}: {field}: {what}"

    def _read(self, node: yaml.Node, where: _Path) -> Any:
        self._lines[where] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._read_mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self._read(item, (*where, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, where)

    def _read_mapping(self, node: yaml.MappingNode, where: _Path) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self._scalar(key_node, (*where, str(key_node.value))))
            if key in fields:
                line = key_node.start_mark.line + 1
                raise Refusal(f"{self.path}:{line}: {key}: stands here for the second time")
            fields[key] = self._read(value_node, (*where, key))
        return fields

    def _scalar(self, node: yaml.Node, where: _Path) -> Any:
        try:
            return self._constructor.construct_object(node, deep=True)
        except (yaml.MarkedYAMLError, ValueError) as error:
            # an impossible date, a tag that is not plain YAML
            line, field = node.start_mark.line + 1, ".".join(str(part) for part in where)
            said = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
            raise Refusal(f"{self.path}:{line}: {field}: {said}") from None


def read_yaml(path: Path, model: type[_Model], **given: Any) -> _Model:
    """Read one file into a model; see `Document.as_model`."""
    return Document(path).as_model(model, **given)


def _compose(text: str) -> yaml.Node | None:
    """Parse a text by libyaml, ten times as fast; what that refuses, by Python's own parser.

    Of the two, Python's says better what is wrong.
    """
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _said(problem: Mapping[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    match problem["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no field that is known here"
        case "too_short":
            return "is empty: at least one is needed"
        case _:
            return message


def _follows(problem: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a list counts as too short only because what stands in it is wrong."""
    where = problem["loc"]
    return problem["type"] == "too_short" and any(
        other["loc"][: len(where)] == where != other["loc"] for other in found
    )


def _is_virtual(where: _Path, known: _Path) -> bool:
    return len(where) - len(known) > 1
