"""What a PromQL expression asks for, held against what services export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

import promql_parser as promql
from prometheus_client.parser import text_string_to_metric_families

# Prometheus adds these to all that it collects; `up` is its own.
TARGET_LABELS = frozenset({"job", "instance", "namespace", "part_of"})
# What those who collect Greenroom's metrics add to all of them: others may have jobs of the same names.
PART_OF = "greenroom"
_OWN = frozenset({"up"})
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
# What Grafana fills in.
_VARIABLES = {"$__rate_interval": "5m", "$namespace": ".*"}
_LEGEND = re.compile(r"\{\{\s*\$?(?:labels\.)?(\w+)\s*\}\}")


@dataclass
class Exports:
    """The names of each service's samples, with their labels.

    `declared` are the labels of families that have no samples yet, `operations` the possible values of the
    label of that name.
    """

    declared: Mapping[str, Set[str]]
    operations: Set[str]
    by_job: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    def add(self, job: str, text: str) -> None:
        """`text` is what the service's /metrics says."""
        names = self.by_job.setdefault(job, {})
        for family in text_string_to_metric_families(text):
            for suffix in _SUFFIXES.get(family.type, ("",)):
                names.setdefault(family.name + suffix, set())
                if not family.samples:
                    labels = self.declared.get(family.name) or self.declared.get(
                        f"{family.name}_total", set()
                    )
                    names[family.name + suffix] |= labels | ({"le"} if suffix == "_bucket" else set())
            for sample in family.samples:
                names.setdefault(sample.name, set()).update(sample.labels)

    def labels(self, name: str, jobs: Set[str]) -> frozenset[str] | None:
        """The labels of a metric in these services; None if none of them has it."""
        found = [self.by_job[job][name] for job in jobs if name in self.by_job[job]]
        return frozenset().union(*found) if found else None


@dataclass
class ExpressionCheck:
    """Finds what an expression asks for that is not exported; `problems` are sentences."""

    exports: Exports
    problems: list[str] = field(default_factory=list)

    def labels(self, expression: str) -> frozenset[str]:
        """The labels of the result. Raises ValueError if it is no PromQL."""
        for variable, value in _VARIABLES.items():
            expression = expression.replace(variable, value)
        return self._labels(promql.parse(expression))

    def names(self, text: str, expression: str) -> None:
        """A legend or an annotation names labels of the result alone."""
        for label in set(_LEGEND.findall(text)) - {"value"} - self.labels(expression):
            self.problems.append(f"{text!r} names {label}, which {expression} does not have")

    def _labels(self, node: Any) -> frozenset[str]:
        match node:
            case promql.VectorSelector():
                return self._selected(node)
            case promql.MatrixSelector():
                return self._selected(node.vector_selector)
            case promql.Call():
                inner = frozenset().union(*(self._labels(one) for one in node.args))
                return inner - {"le"} if node.func.name == "histogram_quantile" else inner
            case promql.AggregateExpr():
                return self._aggregated(node)
            case promql.BinaryExpr():
                return self._joined(node)
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self._labels(node.expr)
        return frozenset()

    def _selected(self, selector: promql.VectorSelector) -> frozenset[str]:
        name, matchers = str(selector.name), selector.matchers.matchers
        for matcher in _of("part_of", matchers):
            if not _admits(matcher, PART_OF):
                self.problems.append(f"nothing is part of {matcher.value}")
        jobs = {job for job in self.exports.by_job if all(_admits(one, job) for one in _of("job", matchers))}
        if name in _OWN:
            return TARGET_LABELS
        found = self.exports.labels(name, jobs)
        if found is None:
            self.problems.append(f"no service of {sorted(jobs)} exports {name}")
            return TARGET_LABELS
        for matcher in matchers:
            if matcher.name not in found | TARGET_LABELS:
                self.problems.append(f"{name} has no label {matcher.name}")
            if matcher.name == "operation" and not any(
                _admits(matcher, one) for one in self.exports.operations
            ):
                self.problems.append(f"there is no operation {matcher.value}")
        return TARGET_LABELS | found

    def _aggregated(self, node: promql.AggregateExpr) -> frozenset[str]:
        inner, kind = self._labels(node.expr), str(node.op)
        if node.modifier is None:
            return inner if kind in {"topk", "bottomk"} else frozenset()
        named = frozenset(node.modifier.labels)
        for label in named - inner:
            self.problems.append(f"{node} groups by {label}, which there is not")
        return named if node.modifier.type == promql.AggModifierType.By else inner - named

    def _joined(self, node: promql.BinaryExpr) -> frozenset[str]:
        left, right = self._labels(node.lhs), self._labels(node.rhs)
        matching = node.modifier.matching if node.modifier is not None else None
        for label in frozenset(matching.labels if matching else ()) - (left & right):
            self.problems.append(f"{node} joins on {label}, which not both sides have")
        return left or right


def _of(label: str, matchers: list[promql.Matcher]) -> Iterator[promql.Matcher]:
    return (one for one in matchers if one.name == label)


def _admits(matcher: promql.Matcher, value: str) -> bool:
    is_pattern = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
    pattern = matcher.value if is_pattern else re.escape(matcher.value)
    excludes = matcher.op in (promql.MatchOp.NotEqual, promql.MatchOp.NotRe)
    return (re.fullmatch(pattern, value) is not None) is not excludes
