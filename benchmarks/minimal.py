"""What a student writes by hand: load, infer, print. Arguments: model.tflite, images.npy, how many images."""

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

model, pool, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
images = np.load(pool)
interpreter = Interpreter(model_path=model, num_threads=1)
interpreter.allocate_tensors()
image, logit = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
logits = []
for number in range(count):
    interpreter.set_tensor(image, images[number % len(images)][None])
    interpreter.invoke()
    logits.append(float(interpreter.get_tensor(logit)[0, 0]))
print(logits)
