"""A live session as a page for boards without a screen: the annotated picture, its label, the figures of each second.

The classifying thread hands over references and goes on; pictures are encoded in a thread of their own, once for all
viewers and only while there is one; the page is served in another.
"""

from profiler.live.web.hub import Hub
from profiler.live.web.server import serve

__all__ = ["Hub", "serve"]
