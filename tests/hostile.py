"""Text from outside that means something to a format."""

HOSTILE = ("keras|`<script>alert(1)</script>$x_{2}$", 'litert](http://x) *b* _c_ & "q"')
