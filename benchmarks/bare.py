"""A bare interpreter loop, timed as the worker times its own: prints each image's time in ns as a JSON list.

Arguments: model.tflite, images.npy, warm-up images, steady images.
"""

import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

model, pool, warmup, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
images = np.load(pool)
batches = [images[index : index + 1] for index in range(len(images))]
interpreter = Interpreter(model_path=model, num_threads=1)
interpreter.allocate_tensors()
image, logit = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
times = []
for number in range(warmup + count):
    start = time.perf_counter_ns()
    interpreter.set_tensor(image, batches[number % len(batches)])
    interpreter.invoke()
    interpreter.get_tensor(logit)
    times.append(time.perf_counter_ns() - start)
print(json.dumps(times[warmup:]))
