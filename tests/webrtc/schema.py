"""Whether a value is what a JSON Schema says: the keywords that the OpenAPI document uses, and no others."""

from __future__ import annotations

from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
}  # fmt: skip
_KNOWN = frozenset(
    {"$ref", "type", "description", "enum", "properties", "required", "items", "additionalProperties", "default"}
)


def flaws(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "it") -> list[str]:
    """What does not fit. Keys of objects that are not described are flaws, too."""
    if "$ref" in schema:
        assert schema["$ref"].startswith("#/components/schemas/")
        return flaws(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, at)
    assert set(schema) <= _KNOWN, f"nobody looks at {set(schema) - _KNOWN}"
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return [f"{at} is {value!r}, not of type {kind}"]
    found = [f"{at} is {value!r}, none of {schema['enum']}"] if value not in schema.get("enum", [value]) else []
    if kind == "array":
        for place, each in enumerate(value):
            found += flaws(each, schema["items"], document, f"{at}[{place}]")
    if kind == "object":
        found += [f"{at} lacks {name}" for name in schema.get("required", ()) if name not in value]
        for name, each in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if inner is None and "properties" in schema:
                found.append(f"{at}.{name} is not described")
            elif inner is not None:
                found += flaws(each, inner, document, f"{at}.{name}")
    return found
