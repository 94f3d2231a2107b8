"""Holds the camera in the first argument as a program that streams does, and says so, until it is ended."""

import fcntl
import struct
import sys
import time
from pathlib import Path

CAPTURE, MMAP = 1, 1
REQBUFS, STREAMON = 0xC0145608, 0x40045612
"""VIDIOC_REQBUFS and VIDIOC_STREAMON, of videodev2.h."""

with Path(sys.argv[1]).open("r+b", buffering=0) as camera:
    fcntl.ioctl(camera, REQBUFS, struct.pack("5I", 4, CAPTURE, MMAP, 0, 0))
    fcntl.ioctl(camera, STREAMON, struct.pack("i", CAPTURE))
    print("streaming", flush=True)
    while True:
        time.sleep(60)
