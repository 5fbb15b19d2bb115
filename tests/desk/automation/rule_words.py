"""Conditions and actions as short calls."""


def leaf(field, op="is", value=None):
    """One condition; a single value of "is" needs no list."""
    return {"field": field, "op": op, "value": [value] if op in ("is", "is_not", "contains", "contains_not") else value}


def every(*leaves):
    """All of these."""
    return {"all": list(leaves)}


def do(code, value=None):
    """One action."""
    return {"do": code, "value": value}
