"""JSON inside a page of HTML."""

import json
from typing import Any


def embedded(data: Any) -> str:
    r"""Return JSON that HTML cannot read as markup; json itself escapes all but ASCII.

    Examples
    --------
    >>> embedded({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
