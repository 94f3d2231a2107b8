"""A webcam script as students write it, with a file in the camera's place: the process whose counts a board gave.

Arguments: litert or keras, the model, a JPEG frame, the images. As in USAFA-ECE/ece386-lab4 (keras_bench.py at
769ff59d) and its students' LiteRT versions: OpenCV and numpy are imported, the engine chooses its threads, Keras is
asked by `predict`, LiteRT by its signature runner, each frame is made an image and resized by OpenCV.
"""

import sys

import cv2
import numpy as np

engine, model, frame, images = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with open(frame, "rb") as file:  # noqa: PTH123 - as the students' scripts, without pathlib
    jpeg = np.frombuffer(file.read(), np.uint8)

if engine == "keras":
    import keras

    network = keras.models.load_model(model)
    height, width = network.input_shape[1:3]
    infer = network.predict
else:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model)
    interpreter.allocate_tensors()
    _, height, width, _ = interpreter.get_input_details()[0]["shape"]
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()

    def infer(batch: np.ndarray) -> dict[str, np.ndarray]:
        outputs: dict[str, np.ndarray] = runner(**{name: batch})
        return outputs


for _ in range(images):
    picture = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert picture is not None
    picture = cv2.cvtColor(cv2.resize(picture, (int(width), int(height))), cv2.COLOR_BGR2RGB)
    print(infer(np.expand_dims(np.asarray(picture, np.uint8), 0)))
