"""JSON inside a page of HTML."""

import json
from typing import Any


def embedded(data: Any) -> str:
    r"""Write JSON that HTML cannot read as markup; all but ASCII is escaped by json itself.

    Examples
    --------
    >>> embedded({"name": "</script>"})
    '{"name":"\\u003c/script\\u003e"}'
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
